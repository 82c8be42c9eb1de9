/** A chart as a PNG with its title on its own ground, ready for a report. */

import { readToken } from '@/lib/theme'

const PAD = 16
const HEAD = 34

export function chartPicture(chart: HTMLCanvasElement, title: string): Promise<Blob | null> {
  const scale = devicePixelRatio || 1
  const canvas = document.createElement('canvas')
  canvas.width = chart.width + 2 * PAD * scale
  canvas.height = chart.height + (HEAD + PAD) * scale
  const ctx = canvas.getContext('2d')
  if (!ctx) return Promise.resolve(null)
  ctx.fillStyle = readToken('card')
  ctx.fillRect(0, 0, canvas.width, canvas.height)
  ctx.fillStyle = readToken('ink')
  ctx.font = `600 ${13 * scale}px "Inter Variable", -apple-system, system-ui, sans-serif`
  ctx.fillText(title, PAD * scale, 22 * scale)
  ctx.drawImage(chart, PAD * scale, HEAD * scale)
  return new Promise((resolve) => {
    canvas.toBlob(resolve, 'image/png')
  })
}
