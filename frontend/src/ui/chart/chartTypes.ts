/** What a chart draws, in the words of charts; what the numbers mean is its owner's business. */

import { Notifier } from '@/lib/notifier'

/** A name of a colour token without its dashes, read again when the theme changes. */
export type Token = string

export type ChartLine = {
  readonly label: string
  readonly color: Token
  readonly width?: number
  /** Lengths of strokes and gaps, so that lines differ by more than colour. */
  readonly dash?: readonly number[]
  readonly format: (value: number | null) => string
  /** Drawn, but neither in the readout nor in the range's outlier clip: the faint raw line. */
  readonly quiet?: boolean
}

export type ChartPoints = {
  readonly label: string
  readonly color: Token
  readonly format: (value: number | null) => string
}

export type ChartData = {
  /** Ascending. */
  readonly x: Float64Array
  /** One column per line, as long as `x`; NaN is a gap. */
  readonly lines: readonly Float64Array[]
  readonly points?: { readonly x: Float64Array; readonly y: Float64Array }
  readonly ring?: { readonly x: number; readonly y: number } | null
  readonly ticks?: readonly number[]
}

/** Where a chart reads its data, and how it hears of more. `read` may answer views without copies. */
export type ChartSource = {
  readonly read: () => ChartData
  readonly subscribe: (listener: () => void) => () => void
}

export type ChartStyle = {
  readonly lines: readonly ChartLine[]
  readonly points?: ChartPoints
  /** The plot fills the room it is given, and is never lower than this. */
  readonly minHeight: number
  readonly log?: boolean
  /** Leave the far outliers out of the y range. */
  readonly clip?: boolean
  /** Begin the y range at zero. */
  readonly fromZero?: boolean
  /** No axes, for a small chart whose value stands beside it. */
  readonly bare?: boolean
  /** Where the x axis ends even if the data does not reach it yet. */
  readonly end?: number | null
  readonly xLabel: string
}

export type View = readonly [from: number, to: number]

/** Charts that share one cursor and one window on the x axis. */
export class ChartGroup extends Notifier {
  private static count = 0
  readonly key: string
  private shown: View | null = null

  constructor() {
    super()
    ChartGroup.count += 1
    this.key = `charts-${ChartGroup.count}`
  }

  /** The part of the x axis that the user chose; null is all of it. */
  readonly view = (): View | null => this.shown

  show(view: View | null): void {
    this.shown = view
    this.changed()
  }
}
