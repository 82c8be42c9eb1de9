/** The loss of a run in a few points: a shape to recognise it by. The numbers stand beside it. */
const WIDTH = 72
const HEIGHT = 20

export function Sparkline({ curve }: { readonly curve: readonly (number | null)[] }) {
  const known = curve.filter((value) => value !== null)
  if (known.length < 2) return null
  const [low, high] = [Math.min(...known), Math.max(...known)]
  const points = curve.flatMap((value, index) =>
    value === null ? [] : [`${round((index / (curve.length - 1)) * WIDTH)},${round(1 + (1 - (value - low) / (high - low || 1)) * (HEIGHT - 2))}`],
  )
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} className="h-5 w-18" aria-hidden="true">
      <polyline points={points.join(' ')} fill="none" strokeWidth="1.5" strokeLinejoin="round" className="stroke-(--chart-train)" />
    </svg>
  )
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
