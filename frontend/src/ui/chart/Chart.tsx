/** A uPlot chart in React: React draws the frame, the plot reads its source by itself. */

import 'uplot/dist/uPlot.min.css'
import './chart.css'

import { useEffect, useImperativeHandle, useRef, type KeyboardEvent, type Ref } from 'react'

import { useShownTheme } from '@/lib/theme'
import { paced } from './chartPace'
import { createPlot, type ChartPlot } from './chartPlot'
import type { ChartGroup, ChartSource, ChartStyle } from './chartTypes'

export type ChartHandle = { readonly picture: () => HTMLCanvasElement | null }

type Props = {
  /** What is drawn, in a sentence with its numbers, for those who don't see it. */
  readonly summary: string
  readonly source: ChartSource
  /** Keep the same object until something changes: a new style builds a new plot. */
  readonly style: ChartStyle
  readonly group: ChartGroup
  readonly ref?: Ref<ChartHandle>
}

export function Chart({ summary, source, style, group, ref }: Props) {
  const root = useRef<HTMLDivElement>(null)
  const plot = useRef<ChartPlot | null>(null)
  const theme = useShownTheme()

  useEffect(() => {
    if (!root.current) return
    const made = createPlot(root.current, source, style, group)
    plot.current = made
    const pace = paced(made.update)
    const stopReading = source.subscribe(pace.ask)
    const sizes = new ResizeObserver(made.resize)
    sizes.observe(root.current)
    // A canvas does not redraw by itself when the font of its labels arrives.
    void document.fonts?.ready.then(made.repaint)
    return () => {
      stopReading()
      pace.cancel()
      sizes.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [source, style, group])

  useEffect(() => {
    plot.current?.repaint()
  }, [theme])

  useImperativeHandle(ref, () => ({ picture: () => plot.current?.picture() ?? null }), [])

  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (by === undefined) return
    event.preventDefault()
    plot.current?.step(event.shiftKey ? by * 10 : by)
  }

  return (
    // Taken out of the flow, so that the plot follows the room it has and never makes it.
    <div className="relative size-full min-w-0" style={{ minHeight: style.minHeight }}>
      {/* The arrow keys move the cursor, so the picture takes the focus like a slider would. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        ref={root}
        role="img"
        aria-label={summary}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        onKeyDown={onKeyDown}
      className="absolute inset-0 rounded-small"
      />
    </div>
  )
}
