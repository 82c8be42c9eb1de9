/**
 * A table of numbers that grows in place: one typed array per column, so that a curve of 100,000
 * points is appended to and drawn without copying. Unknown values are NaN inside and never leave
 * as 0. An open table takes up names it did not know: a method has numbers of its own.
 */

export type Row<K extends string> = { readonly [key in K]?: number | null | undefined }

const FIRST_ROOM = 256
/** No honest run has more; a broken one must not eat the memory. */
const MOST_COLUMNS = 128

export class Columns<K extends string> {
  private room = FIRST_ROOM
  private rows = 0
  private names: readonly K[]
  private columns: Map<K, Float64Array>
  private gaps: Map<K, number>

  /** `order` names the ascending column: a row with its last value again completes that row. */
  constructor(
    private readonly first: readonly K[],
    private readonly order: K,
    private readonly open = false,
  ) {
    this.names = first
    this.columns = new Map(first.map((key) => [key, new Float64Array(FIRST_ROOM)]))
    this.gaps = new Map(first.map((key) => [key, 0]))
  }

  /** The names of all columns: those of the beginning, then others as they came. */
  get keys(): readonly K[] {
    return this.names
  }

  has(key: K): boolean {
    return this.columns.has(key)
  }

  get length(): number {
    return this.rows
  }

  /**
   * A view of the values, without a copy; valid until the next append. All unknown where there is
   * no such column (any more: a chart may still be drawn after another run took the table).
   */
  column(key: K): Float64Array {
    return this.columns.get(key)?.subarray(0, this.rows) ?? new Float64Array(this.rows).fill(NaN)
  }

  hasGaps(key: K): boolean {
    return (this.gaps.get(key) ?? 0) > 0
  }

  value(key: K, index: number): number | null {
    if (index < 0 || index >= this.rows) return null
    return toNull(this.columns.get(key)?.[index])
  }

  last(key: K, back = 0): number | null {
    return this.value(key, this.rows - 1 - back)
  }

  /** Answers whether the table changed: a row older than the last is not taken. */
  append(row: Row<K>): boolean {
    const at = row[this.order]
    if (typeof at !== 'number' || !Number.isFinite(at)) return false
    const last = this.last(this.order)
    if (last !== null && at < last) return false
    this.takeUp(row)
    if (at === last) {
      this.complete(row)
      return true
    }
    if (this.rows === this.room) this.grow(this.room * 2)
    for (const key of this.names) {
      const value = toNumber(row[key])
      this.data(key)[this.rows] = value
      if (Number.isNaN(value)) this.gaps.set(key, (this.gaps.get(key) ?? 0) + 1)
    }
    this.rows += 1
    return true
  }

  /** Takes the place of everything held; columns may be missing, rows out of order are left out. */
  replace(columns: { readonly [key: string]: readonly (number | null)[] | undefined }): void {
    this.clear()
    const order = columns[this.order] ?? []
    const first = Object.keys(columns).filter((key) => columns[key]?.some((value) => value !== null))
    if (this.open) for (const key of first) this.add(key as K)
    if (order.length > this.room) this.grow(order.length)
    for (let i = 0; i < order.length; i += 1) {
      const row: { [key in K]?: number | null } = {}
      for (const key of this.names) row[key] = columns[key]?.[i] ?? null
      this.append(row)
    }
  }

  clear(): void {
    this.rows = 0
    for (const key of this.names) {
      if (this.first.includes(key)) continue
      this.columns.delete(key)
      this.gaps.delete(key)
    }
    this.names = this.first
    for (const key of this.names) this.gaps.set(key, 0)
  }

  /** A new name begins with gaps for the rows before it. */
  private add(key: K): void {
    if (this.columns.has(key) || this.names.length >= MOST_COLUMNS) return
    this.names = [...this.names, key]
    this.columns.set(key, new Float64Array(this.room).fill(NaN, 0, this.rows))
    this.gaps.set(key, this.rows)
  }

  private takeUp(row: Row<K>): void {
    if (!this.open) return
    for (const [key, value] of Object.entries(row)) {
      if (typeof value === 'number') this.add(key as K)
    }
  }

  private complete(row: Row<K>): void {
    for (const key of this.names) {
      const value = toNumber(row[key])
      const column = this.data(key)
      if (Number.isNaN(value)) continue
      if (Number.isNaN(column[this.rows - 1])) this.gaps.set(key, (this.gaps.get(key) ?? 1) - 1)
      column[this.rows - 1] = value
    }
  }

  private grow(room: number): void {
    for (const key of this.names) {
      const wider = new Float64Array(room)
      wider.set(this.data(key).subarray(0, this.rows))
      this.columns.set(key, wider)
    }
    this.room = room
  }

  private data(key: K): Float64Array {
    const column = this.columns.get(key)
    if (!column) throw new RangeError(`There is no column "${key}".`)
    return column
  }
}

function toNumber(value: number | null | undefined): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : NaN
}

function toNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value
}
