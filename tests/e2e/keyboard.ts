// Working the page by keyboard alone: where the focus is, what it is called, whether it is seen.
import type { Page } from 'playwright-core'

export type Stop = {
  readonly name: string
  readonly role: string
  /** The focus is drawn, and the control is not under something else. */
  readonly seen: boolean
}

/** What has the focus; null where nothing has. */
export function focused(page: Page): Promise<Stop | null> {
  return page.evaluate(() => {
    const element = document.activeElement
    if (!(element instanceof HTMLElement) || element === document.body) return null
    const labels = 'labels' in element ? (element.labels as NodeListOf<HTMLLabelElement> | null) : null
    const name = element.getAttribute('aria-label') ?? labels?.[0]?.textContent ?? element.textContent ?? ''
    // A radio button is drawn by its label.
    const drawn = [element, element.closest('label')].some((each) => {
      if (!each) return false
      const { outlineStyle, boxShadow } = getComputedStyle(each)
      return outlineStyle !== 'none' || boxShadow !== 'none'
    })
    const { left, top, width, height } = element.getBoundingClientRect()
    const inside = left + width > 0 && top + height > 0 && left < innerWidth && top < innerHeight
    return { name: name.trim(), role: element.tagName.toLowerCase(), seen: drawn && inside }
  })
}

/** Tab until a control of that name has the focus. */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  const passed: string[] = []
  for (let press = 0; press < 150; press += 1) {
    await page.keyboard.press('Tab')
    const stop = await focused(page)
    if (stop && name.test(stop.name)) return
    passed.push(stop?.name ?? '—')
  }
  throw new Error(`No stop is called ${String(name)}; there were: ${passed.join(' | ')}`)
}

/** Every stop from the top of the page to where the focus leaves it. */
export async function walk(page: Page): Promise<readonly Stop[]> {
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  const stops: Stop[] = []
  for (let press = 0; press < 200; press += 1) {
    await page.keyboard.press('Tab')
    const stop = await focused(page)
    if (stop === null) return stops
    stops.push(stop)
  }
  throw new Error('The focus never leaves the page.')
}
