/** The last N items of an endless stream, in constant memory: log lines, mostly. */

export class Ring<T> {
  private items: T[] = []
  private start = 0
  private seen = 0

  constructor(readonly capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`A ring needs room for at least one item, not ${capacity}.`)
    }
  }

  get length(): number {
    return this.items.length
  }

  /** How many items ever came, the dropped ones included. */
  get total(): number {
    return this.seen
  }

  get dropped(): number {
    return this.seen - this.items.length
  }

  push(item: T): void {
    this.seen += 1
    if (this.items.length < this.capacity) {
      this.items.push(item)
      return
    }
    this.items[this.start] = item
    this.start = (this.start + 1) % this.capacity
  }

  /** The item at `index` of those still held, 0 being the oldest. */
  at(index: number): T | undefined {
    if (index < 0 || index >= this.items.length) return undefined
    return this.items[(this.start + index) % this.items.length]
  }

  clear(): void {
    this.items = []
    this.start = 0
    this.seen = 0
  }

  toArray(): T[] {
    return [...this.items.slice(this.start), ...this.items.slice(0, this.start)]
  }
}
