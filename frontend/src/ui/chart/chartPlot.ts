/** One uPlot on one element: made once, fed by `update`, repainted when the theme changes. */

import uPlot from 'uplot'

import { readToken } from '@/lib/theme'
import { drawOverlay } from './chartOverlay'
import { axisValues, clampView, logSplits, fullRange, yRange } from './chartRange'
import { createReadout } from './chartReadout'
import type { ChartData, ChartGroup, ChartSource, ChartStyle, View } from './chartTypes'

export type ChartPlot = {
  /** Draw what the source holds now. */
  readonly update: () => void
  readonly resize: () => void
  readonly repaint: () => void
  /** Move the cursor to the next or previous point. */
  readonly step: (by: number) => void
  readonly picture: () => HTMLCanvasElement
  readonly destroy: () => void
}

const AXIS_FONT = '11px "Inter Variable", -apple-system, system-ui, sans-serif'

export function createPlot(
  root: HTMLElement,
  source: ChartSource,
  style: ChartStyle,
  group: ChartGroup,
): ChartPlot {
  let data = source.read()
  const shown = (): View => group.view() ?? fullRange(data, style.end)
  const choose = (view: View) => {
    group.show(clampView(view, fullRange(data, style.end)))
  }
  const readout = createReadout(() => ({ data, style }))
  const plot = new uPlot(
    optionsOf({ style, group, data: () => data, shown, choose, width: root.clientWidth, height: root.clientHeight }),
    aligned(data, style),
    root,
  )
  plot.over.append(readout.element)
  plot.hooks.setCursor = [readout.show]
  handleWheel(plot, group, choose)

  const apply = () => {
    const [min, max] = shown()
    plot.batch(() => {
      plot.setData(aligned(data, style), false)
      plot.setScale('x', { min, max })
    })
  }
  let destroyed = false
  const stopListening = group.subscribe(apply)

  return {
    update: () => {
      data = source.read()
      apply()
      if (!readout.element.hidden) readout.show(plot)
    },
    resize: () => {
      const { clientWidth: width, clientHeight: height } = root
      if (width === 0 || height === 0) return
      if (width !== plot.width || height !== plot.height) plot.setSize({ width, height })
    },
    repaint: () => {
      if (!destroyed) plot.redraw(false, true)
    },
    step: (by) => {
      const index = Math.min(Math.max((plot.cursor.idx ?? -1) + by, 0), data.x.length - 1)
      const x = data.x[index]
      if (x === undefined) return
      plot.setCursor({ left: plot.valToPos(x, 'x'), top: plot.over.clientHeight / 2 }, true)
    },
    picture: () => plot.ctx.canvas,
    destroy: () => {
      destroyed = true
      stopListening()
      plot.destroy()
    },
  }
}

type Wiring = {
  readonly style: ChartStyle
  readonly group: ChartGroup
  readonly data: () => ChartData
  readonly shown: () => View
  readonly choose: (view: View) => void
  readonly width: number
  readonly height: number
}

function optionsOf({ style, group, data, shown, choose, width, height }: Wiring): uPlot.Options {
  const bare = style.bare === true
  const axis = { font: AXIS_FONT, stroke: () => readToken('chart-axis'), ticks: { show: false }, border: { show: false } }
  return {
    width: Math.max(width, 40),
    height: Math.max(height, style.minHeight),
    padding: bare ? [6, 4, 4, 4] : [10, 24, 0, 0],
    legend: { show: false },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    cursor: {
      y: false,
      points: { size: 7, fill: (_, i) => lineColor(style, i), stroke: () => readToken('card') },
      drag: { x: true, y: false, setScale: false },
      sync: {
        key: group.key,
        setSeries: false,
        scales: ['x', null],
        // The window on the x axis is shared through the group, not by copying mouse drags.
        filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave', sub: () => true },
      },
      bind: {
        dblclick: () => () => {
          group.show(null)
          return null
        },
      },
    },
    scales: {
      x: { time: false, range: () => [...shown()] },
      y: { distr: style.log ? 3 : 1, range: () => [...yRange(data(), style, shown())] },
    },
    axes: [
      { ...axis, show: !bare, size: 26, gap: 8, grid: { show: false }, space: 90, values: (_, splits) => splits.map(axisCount) },
      {
        ...axis,
        show: !bare,
        size: 46,
        gap: 8,
        space: 44,
        grid: { stroke: () => readToken('chart-grid'), width: 1 },
        values: (_, splits) => axisValues(splits, style.log === true),
        ...(style.log
          ? {
              splits: (_plot: uPlot, _axis: number, min: number, max: number) => logSplits(min, max),
              filter: (_plot: uPlot, splits: number[]) => splits,
            }
          : {}),
      },
    ],
    series: [
      {},
      ...style.lines.map((line, index) => ({
        stroke: () => lineColor(style, index + 1),
        width: line.width ?? 2,
        ...(line.dash ? { dash: [...line.dash] } : {}),
        points: { show: (plot: uPlot) => plot.data[0].length < 2 },
        pxAlign: 0,
        ...(line.quiet ? { cursor: { show: false } } : {}),
      })),
    ],
    hooks: {
      draw: [
        (plot) => {
          drawOverlay(plot, data(), {
            points: readToken(style.points?.color ?? 'chart-validation'),
            ground: readToken('card'),
            ticks: readToken('chart-axis'),
          })
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width: chosen } = plot.select
          if (chosen < 6) return
          choose([plot.posToVal(left, 'x'), plot.posToVal(left + chosen, 'x')])
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
    },
  }
}

function lineColor(style: ChartStyle, index: number): string {
  return readToken(style.lines[index - 1]?.color ?? 'chart-axis')
}

function axisCount(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : ''
}

/** uPlot knows a gap as null; a column with a NaN is copied, all others are handed on as they are. */
function aligned(data: ChartData, style: ChartStyle): uPlot.AlignedData {
  const least = style.log === true ? Number.MIN_VALUE : -Infinity
  const columns = data.lines.map((column) =>
    isWhole(column, least) ? column : Array.from(column, (value) => (value >= least ? value : null)),
  )
  return [data.x, ...columns]
}

/** A plain loop: it runs over every point with every draw, and `every` costs five times as much. */
function isWhole(column: Float64Array, least: number): boolean {
  for (let i = 0; i < column.length; i += 1) {
    if (!((column[i] ?? NaN) >= least)) return false
  }
  return true
}

/** Wheel: zoom with Ctrl or Cmd (a pinch on a touchpad); sideways, or with Shift, move the window. */
function handleWheel(plot: uPlot, group: ChartGroup, choose: (view: View) => void): void {
  const turn = (event: WheelEvent) => {
    const { min = 0, max = 1 } = plot.scales['x'] ?? {}
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault()
      const centre = plot.posToVal(event.offsetX, 'x')
      const factor = Math.exp(event.deltaY * 0.004)
      choose([centre - (centre - min) * factor, centre + (max - centre) * factor])
      return
    }
    const sideways = event.shiftKey ? event.deltaX + event.deltaY : event.deltaX
    const along = !event.shiftKey && Math.abs(event.deltaY) > Math.abs(event.deltaX)
    if (group.view() === null || along || sideways === 0) return
    event.preventDefault()
    const shift = (sideways / plot.over.clientWidth) * (max - min)
    choose([min + shift, max + shift])
  }
  plot.over.addEventListener('wheel', turn, { passive: false })
}
