/** What uPlot has no words for: sparse points over a dense line, the best one ringed, ticks. */

import type uPlot from 'uplot'

import type { ChartData } from './chartTypes'

type Paint = {
  readonly points: string
  readonly ground: string
  readonly ticks: string
}

/** Dots closer than this become a line alone. */
const DOT_ROOM = 7

export function drawOverlay(plot: uPlot, data: ChartData, paint: Paint): void {
  const { ctx, bbox } = plot
  const scale = devicePixelRatio || 1
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left - 5 * scale, bbox.top - 5 * scale, bbox.width + 10 * scale, bbox.height + 5 * scale)
  ctx.clip()
  drawTicks(plot, data.ticks ?? [], paint.ticks, scale)
  if (data.points) drawPoints(plot, data.points, paint, scale)
  if (data.ring) drawRing(plot, data.ring, paint, scale)
  ctx.restore()
}

function drawTicks(plot: uPlot, ticks: readonly number[], color: string, scale: number): void {
  const { ctx, bbox } = plot
  const bottom = bbox.top + bbox.height
  ctx.strokeStyle = color
  ctx.lineWidth = scale
  ctx.beginPath()
  for (const step of ticks) {
    const x = Math.round(plot.valToPos(step, 'x', true)) + 0.5
    if (x < bbox.left || x > bbox.left + bbox.width + 1) continue
    ctx.moveTo(x, bottom)
    ctx.lineTo(x, bottom - 6 * scale)
  }
  ctx.stroke()
}

function drawPoints(
  plot: uPlot,
  { x, y }: { readonly x: Float64Array; readonly y: Float64Array },
  paint: Paint,
  scale: number,
): void {
  const { ctx } = plot
  const spots: [number, number][] = []
  for (let i = 0; i < x.length; i += 1) {
    const value = y[i] ?? NaN
    if (Number.isNaN(value)) continue
    spots.push([plot.valToPos(x[i] ?? NaN, 'x', true), plot.valToPos(value, 'y', true)])
  }
  ctx.strokeStyle = paint.points
  ctx.lineWidth = 1.5 * scale
  ctx.setLineDash([3 * scale, 3 * scale])
  ctx.beginPath()
  for (const [px, py] of spots) ctx.lineTo(px, py)
  ctx.stroke()
  ctx.setLineDash([])
  ctx.fillStyle = paint.points
  let last = -Infinity
  for (const [px, py] of spots) {
    if (px - last < DOT_ROOM * scale) continue
    last = px
    ctx.beginPath()
    ctx.arc(px, py, 3.5 * scale, 0, 2 * Math.PI)
    ctx.fill()
  }
}

function drawRing(plot: uPlot, at: { x: number; y: number }, paint: Paint, scale: number): void {
  const { ctx } = plot
  const x = plot.valToPos(at.x, 'x', true)
  const y = plot.valToPos(at.y, 'y', true)
  const circle = (radius: number) => {
    ctx.beginPath()
    ctx.arc(x, y, radius * scale, 0, 2 * Math.PI)
  }
  ctx.fillStyle = paint.ground
  circle(7)
  ctx.fill()
  ctx.strokeStyle = paint.points
  ctx.lineWidth = 1.5 * scale
  ctx.stroke()
  ctx.fillStyle = paint.points
  circle(3.5)
  ctx.fill()
}
