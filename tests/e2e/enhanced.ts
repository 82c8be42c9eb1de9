// What tests of Enhanced Setup share: a method's card, its fields, and what a run left behind.
import type { Page } from 'playwright-core'
import type { Server } from './server.ts'

export async function openEnhanced(page: Page, method: string): Promise<void> {
  await page.getByRole('link', { name: /^Enhanced Setup/ }).first().click()
  const more = page.getByRole('button', { name: /^Show \d+ more methods/ })
  await page.getByRole('radio', { name: 'GRPO', exact: true }).waitFor()
  const card = page.getByRole('radio', { name: method, exact: true })
  if ((await card.count()) === 0) await more.click()
  await card.check()
}

export async function fill(page: Page, settings: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, text] of Object.entries(settings)) await page.getByLabel(label, { exact: true }).first().fill(text)
}

/** The newest session: its record, its series, and its samples. */
export async function savedRun({ get }: Pick<Server, 'get'>) {
  const { sessions } = (await get('/sessions')) as { sessions: { session_id: string; method: string }[] }
  const id = sessions[0]?.session_id ?? ''
  const record = (await get(`/sessions/${id}`)) as { method: string; training_state: string; config: Record<string, unknown> }
  const { series } = (await get(`/sessions/${id}/metrics`)) as { series: { train: Record<string, unknown[]> } }
  const { samples } = (await get(`/sessions/${id}/samples`)) as { samples: { rewards: Record<string, number> }[] }
  return { id, record, series, samples }
}
