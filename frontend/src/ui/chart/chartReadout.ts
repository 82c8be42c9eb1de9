/** The small box beside the cursor. Plain DOM: it moves with every mouse event, React need not. */

import type uPlot from 'uplot'

import { indexAtOrBefore } from '@/lib/smooth'
import { readToken } from '@/lib/theme'
import type { ChartData, ChartStyle } from './chartTypes'

const counting = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

export type Readout = { readonly element: HTMLElement; readonly show: (plot: uPlot) => void }

export type ReadoutRow = { readonly label: string; readonly color: string; readonly text: string }

/** What stands in the box for row `index` of the data. */
export function readoutRows(data: ChartData, style: ChartStyle, index: number): readonly ReadoutRow[] {
  const rows: ReadoutRow[] = []
  style.lines.forEach((line, at) => {
    if (line.quiet) return
    const value = data.lines[at]?.[index]
    rows.push({ label: line.label, color: line.color, text: line.format(toNull(value)) })
  })
  if (style.points && data.points) {
    const x = data.x[index] ?? -Infinity
    const value = data.points.y[indexAtOrBefore(data.points.x, x)]
    rows.push({ label: style.points.label, color: style.points.color, text: style.points.format(toNull(value)) })
  }
  return rows
}

const BOX =
  'pointer-events-none absolute top-1 left-0 z-10 rounded-field border border-line bg-raised px-2.5 py-1.5 text-small whitespace-nowrap'
/** A small chart has no room for a box: the value stands where its newest value stood. */
const BARE =
  'pointer-events-none absolute -top-7.25 -right-1 z-10 flex gap-2 bg-card pl-4 text-small whitespace-nowrap'

export function createReadout(read: () => { data: ChartData; style: ChartStyle }): Readout {
  const element = document.createElement('div')
  element.className = read().style.bare ? BARE : BOX
  element.hidden = true
  // The same numbers stand in the chart's table; spoken with every pixel they would be noise.
  element.setAttribute('aria-hidden', 'true')

  const show = (plot: uPlot) => {
    const { idx, left } = plot.cursor
    const { data, style } = read()
    const x = typeof idx === 'number' ? data.x[idx] : undefined
    if (typeof idx !== 'number' || x === undefined || left === undefined || left < 0) {
      element.hidden = true
      return
    }
    if (style.bare) {
      const [row] = readoutRows(data, style, idx)
      element.replaceChildren(textElement('text-faint', `at ${counting.format(x)}`), textElement('font-medium text-ink', row?.text ?? ''))
      element.hidden = false
      return
    }
    const title = document.createElement('div')
    title.className = 'text-faint'
    title.textContent = `${style.xLabel} ${counting.format(x)}`
    element.replaceChildren(title, ...readoutRows(data, style, idx).map(rowElement))
    element.hidden = false
    const room = plot.over.clientWidth
    const width = element.offsetWidth
    const beside = left + 10 + width > room ? left - 10 - width : left + 10
    element.style.transform = `translateX(${Math.max(0, Math.min(beside, room - width))}px)`
  }
  return { element, show }
}

function textElement(className: string, text: string): HTMLElement {
  const element = document.createElement('span')
  element.className = className
  element.textContent = text
  return element
}

function rowElement({ label, color, text }: ReadoutRow): HTMLElement {
  const row = document.createElement('div')
  row.className = 'flex items-center gap-1.5 text-ink'
  const dot = document.createElement('span')
  dot.className = 'size-1.5 rounded-full'
  dot.style.background = readToken(color)
  const name = document.createElement('span')
  name.className = 'text-soft'
  name.textContent = label
  const value = document.createElement('span')
  value.className = 'ml-auto pl-2 font-medium'
  value.textContent = text
  row.append(dot, name, value)
  return row
}

function toNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value
}
