/** The smallest store: a version that grows, and those who want to know. Fits useSyncExternalStore. */

export class Notifier {
  private listeners = new Set<() => void>()
  private count = 0

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => {
      this.listeners.delete(listener)
    }
  }

  readonly version = (): number => this.count

  protected changed(): void {
    this.count += 1
    for (const listener of this.listeners) listener()
  }
}
