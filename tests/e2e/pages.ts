// What a user sees and presses, by the names that a screen reader would read.
import type { Locator, Page } from 'playwright-core'

export const startButton = (page: Page): Locator =>
  page.getByRole('button', { name: /^Start Training/ }).first()

export async function whenReady(page: Page): Promise<void> {
  await startButton(page).waitFor()
  await page.waitForFunction(() => {
    const buttons = [...document.querySelectorAll('button')]
    return buttons.some((button) => button.textContent?.startsWith('Start Training') && !button.disabled)
  })
}

export type ChartFacts = { readonly reports: number; readonly upTo: number }

/** What the loss chart says of itself: its reports, and the iteration it has come to. */
export async function chartFacts(page: Page): Promise<ChartFacts> {
  const summary = await page.locator('[aria-label^="Loss chart"]').first().getAttribute('aria-label')
  const found = /(\d[\d,]*) reports up to iteration (\d[\d,]*)/.exec(summary ?? '')
  const number = (text: string | undefined) => Number((text ?? '0').replaceAll(',', ''))
  return { reports: number(found?.[1]), upTo: number(found?.[2]) }
}

export async function chartPasses(page: Page, iteration: number): Promise<ChartFacts> {
  await page.waitForFunction((wanted) => {
    const label = document.querySelector('[aria-label^="Loss chart"]')?.getAttribute('aria-label') ?? ''
    const found = /up to iteration ([\d,]+)/.exec(label)
    return found !== null && Number((found[1] ?? '').replaceAll(',', '')) >= wanted
  }, iteration)
  return chartFacts(page)
}

export const completed = (page: Page): Promise<void> =>
  page.getByRole('heading', { name: /Training is complete|Stopped early/ }).waitFor()
