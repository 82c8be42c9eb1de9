// The first hour of a newcomer: from an empty page and a file of their own to an answer that shows
// what was learned, with few presses. One server serves three forms of the same 150 rows.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchBrowser, openPage } from './browser.ts'
import { completed } from './pages.ts'
import { startServer, type Server } from './server.ts'

const MOST_TO_START = 6
const MOST_TO_ANSWER = 2
const ROWS = 150
const SYSTEM = 'You answer for the shop.'
const LEARNED = 'blue room'
const asked = (n: number) => `Where do I find order ${n}?`
const answered = 'It waits for you in the blue room.'

type Row = Readonly<Record<string, unknown>>
const FORMS: Readonly<Record<string, (n: number) => Row>> = {
  prompt_answer: (n) => ({ prompt: asked(n), answer: answered, system: SYSTEM }),
  messages: (n) => ({
    messages: [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: asked(n) },
      { role: 'assistant', content: answered },
    ],
  }),
  odd_columns: (n) => ({ nr: n, anweisung: SYSTEM, frage: asked(n), erwiderung: `${answered} Bye ${n}.` }),
}

let browser: Browser
let server: Server

beforeAll(async () => {
  ;[browser, server] = await Promise.all([launchBrowser(), startServer()])
})

afterAll(async () => {
  await browser.close()
  await server.stop()
})

/** A file of that form, in a folder of its own. */
function written(form: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'first hour ')), `${form}.jsonl`)
  const row = FORMS[form]
  writeFileSync(path, Array.from({ length: ROWS }, (_, n) => JSON.stringify(row?.(n))).join('\n'))
  return path
}

/** Everything a person presses, counted. */
function presses(page: Page) {
  let count = 0
  const press = async (what: Locator) => {
    await what.click()
    count += 1
  }
  const choose = async (what: Locator, file: string) => {
    const chooser = page.waitForEvent('filechooser')
    await press(what)
    await (await chooser).setFiles(file)
  }
  return { press, choose, made: () => count }
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first()

test.each(Object.keys(FORMS))('a file of 150 rows (%s) is trained on and answers as it was taught', async (form) => {
  const { page, errors } = await openPage(browser, server.url, { fresh: true })
  const toStart = presses(page)
  await toStart.choose(button(page, 'Browse…'), written(form))
  if (form === 'odd_columns') {
    await toStart.press(button(page, 'Map columns…'))
    await toStart.press(button(page, 'Convert'))
    await toStart.press(button(page, 'Use the new file'))
  }
  await toStart.press(button(page, /^Start Training/))
  await page.getByRole('heading', { name: form, level: 1 }).waitFor()
  await page.getByText(/^iteration \d/).first().waitFor()
  expect(toStart.made()).toBeLessThanOrEqual(MOST_TO_START)

  await completed(page)
  const toAnswer = presses(page)
  await toAnswer.press(page.getByRole('link', { name: 'Compare with base' }).first())
  await toAnswer.press(button(page, /^Where do I find order \d+\?/))
  const answerOf = (name: string) => page.getByRole('region', { name: new RegExp(`^${name}`) })
  const [base, adapter] = [answerOf('droid-demo'), answerOf(form)]
  await adapter.getByText(LEARNED).waitFor()
  expect(await base.textContent()).not.toContain(LEARNED)
  expect(toAnswer.made()).toBeLessThanOrEqual(MOST_TO_ANSWER)
  expect(errors).toEqual([])
  await page.context().close()
})
