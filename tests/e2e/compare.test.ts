// Compare, pressed in a real browser against the real engine. One short run serves all of it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchBrowser, openPage, type Size, type Watched } from './browser.ts'
import { tabTo } from './keyboard.ts'
import { completed } from './pages.ts'
import { startServer, type Server } from './server.ts'

type Defaults = Readonly<Record<string, unknown>>
type Kept = { readonly comparisons: readonly { readonly prompt: string; readonly answers: readonly { readonly rating: number | null; readonly text: string }[] }[] }

const ADAPTER = 'captain'
let browser: Browser
let server: Server
let desk: Watched

beforeAll(async () => {
  ;[browser, server] = await Promise.all([launchBrowser(), startServer()])
})

afterAll(async () => {
  await browser.close()
  await server.stop()
})

const at = (path: string) => `${server.url}/#${path}`
const prompt = (page: Page) => page.getByLabel('Prompt', { exact: true })
const answer = (page: Page, name: string) => page.getByRole('group', { name: `Answer of ${name}` }).first()
const askButton = (page: Page) => page.getByRole('button', { name: /^Ask/ })
const comparisons = async () => ((await server.get('/api/comparisons')) as Kept).comparisons

async function axeFindsNothing(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const found = violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(' ')}`)
  expect(found, what).toEqual([])
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(wide, `${what} is wider than the screen`).toBeLessThanOrEqual(0)
}

/** The answers to that prompt have ended, and the server has kept them. */
async function kept(page: Page, prompt: string): Promise<void> {
  await page.waitForFunction(async (wanted) => {
    const { comparisons } = (await (await fetch('/api/comparisons?limit=1')).json()) as Kept
    return comparisons[0]?.prompt === wanted
  }, prompt)
  await askButton(page).waitFor()
}

test('before anything is trained the page says what will be here, and a base can be asked', async () => {
  desk = await openPage(browser, at('/compare'))
  const { page, errors } = desk
  await page.getByRole('heading', { name: 'No adapters yet' }).waitFor()
  await axeFindsNothing(page, 'the empty page')
  await page.getByRole('button', { name: 'Ask a base model' }).click()
  await page.getByRole('checkbox', { name: 'droid-demo', exact: true }).check()
  await page.getByRole('button', { name: 'Use this one' }).click()
  await page.getByRole('region', { name: 'droid-demo' }).waitFor()
  expect(errors).toEqual([])
})

test('from a trained session, base and adapter answer side by side in one batch', async () => {
  const { models } = (await server.get('/models')) as { models: { name: string; path: string; defaults: Defaults }[] }
  const demo = models.find(({ name }) => name === 'droid-demo')
  const run = { model_path: demo?.path, ...demo?.defaults, adapter_name: ADAPTER, iterations: 20, steps_per_eval: 10 }
  expect((await server.post('/training/start', run)).ok).toBe(true)
  const { page, errors } = desk
  await page.goto(at('/training'))
  await completed(page)
  await page.getByRole('link', { name: 'Open in Results' }).click()
  await page.getByRole('link', { name: 'Compare with base' }).last().click()

  await page.getByRole('region', { name: ADAPTER }).waitFor()
  await prompt(page).fill('Say hello.')
  await page.getByLabel('Max tokens').fill('24')
  await page.keyboard.press('ControlOrMeta+Enter')
  await kept(page, 'Say hello.')
  await page.getByText('Answered in one batch.').waitFor()
  expect(await page.getByText('chat template', { exact: true }).count()).toBe(2)
  expect(await page.getByText(/first token .* tokens/).count()).toBe(2)
  await axeFindsNothing(page, 'the answers')
  const [newest] = await comparisons()
  expect(newest?.answers.map(({ text }) => text)).toEqual([await answer(page, 'droid-demo').textContent(), await answer(page, ADAPTER).textContent()])
  expect(errors).toEqual([])
})

test('stars are kept, and the history is there after a reload, to be asked again', async () => {
  const { page, errors } = desk
  await page.getByRole('group', { name: `Stars for ${ADAPTER}` }).first().getByRole('radio', { name: '4 stars' }).check()
  await page.waitForFunction(async () => {
    const { comparisons } = (await (await fetch('/api/comparisons')).json()) as Kept
    return comparisons[0]?.answers[1]?.rating === 4
  })
  await page.reload()
  const entry = page.getByRole('button', { name: /^Say hello\./ })
  await entry.click()
  expect(await page.getByRole('radio', { name: '4 stars' }).last().isChecked()).toBe(true)
  await prompt(page).fill('')
  await page.getByRole('button', { name: 'Use this prompt again: Say hello.' }).click()
  expect(await prompt(page).inputValue()).toBe('Say hello.')

  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Markdown', exact: true }).click()])
  expect(download.suggestedFilename()).toBe('comparisons.md')
  expect(readFileSync(await download.path(), 'utf8')).toContain('★★★★☆')
  expect(errors).toEqual([])
})

test('a stop ends what is being asked, keeps what was said, and the next question works', async () => {
  const { page, errors } = desk
  // Of one answer nobody can say how long it will be, so a long set is stopped after its first.
  const stories = Array.from({ length: 200 }, (_, number) => `Story ${number + 1}`)
  await page.getByLabel('Max tokens').fill('900')
  await page.getByLabel('Temperature').fill('1.5')
  await page.getByRole('button', { name: 'Prompt set…' }).click()
  await page.getByRole('dialog').getByLabel('Prompts').fill(stories.join('\n'))
  await page.getByRole('button', { name: 'Ask all' }).click()
  await page.getByRole('button', { name: /^Story 1[^\d]/ }).waitFor()
  await page.getByRole('button', { name: 'Stop', exact: true }).click()
  await askButton(page).waitFor()
  expect((await comparisons()).map((each) => each.prompt)).not.toContain('Story 200')

  await page.getByLabel('Max tokens').fill('16')
  await page.getByLabel('Temperature').fill('0.7')
  await prompt(page).fill('Say hello again.')
  await askButton(page).click()
  await kept(page, 'Say hello again.')
  expect(errors).toEqual([])
})

test('paste works by keyboard, by the menu’s event, by button, and is explained where it is forbidden', async () => {
  const { page, errors } = desk
  const { clipboard } = await copied(page, 'Pasted """text""" with \\ and 🛶')
  await prompt(page).fill('')
  await prompt(page).focus()
  await page.keyboard.press('ControlOrMeta+V')
  expect(await prompt(page).inputValue()).toBe(clipboard)

  // What the entry of a context menu does: the editor's own command, without the keys.
  await prompt(page).fill('')
  await prompt(page).focus()
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', commands: ['paste'] })
  await page.waitForFunction((wanted) => document.querySelector('textarea')?.value === wanted, clipboard)

  await prompt(page).fill('')
  const paste = page.getByRole('button', { name: 'Paste', exact: true })
  await page.context().clearPermissions()
  await paste.click()
  await page.getByText(/^Clipboard blocked\. Press .*V/).waitFor()
  expect(await prompt(page).evaluate((box) => box === document.activeElement)).toBe(true)
  await page.keyboard.press('ControlOrMeta+V')
  expect(await prompt(page).inputValue()).toBe(clipboard)

  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await prompt(page).fill('Before: ')
  await paste.click()
  await page.waitForFunction((wanted) => document.querySelector('textarea')?.value === wanted, `Before: ${clipboard}`)
  expect(errors).toEqual([])
})

test('in the desktop window the Paste button reads the clipboard through the shell', async () => {
  const { page } = await openPage(browser, at(`/compare?adapter=${ADAPTER}`))
  await prompt(page).waitFor()
  await page.addInitScript(() => {
    const unused = () => Promise.resolve(null)
    Object.assign(window, {
      droid: {
        platform: 'linux',
        openFile: unused, openFolder: unused,
        saveFile: unused,
        writeText: unused,
        readClipboard: () => Promise.resolve('From the desktop'),
        pathOfFile: () => null,
        showRun: unused,
        notify: unused,
        onMenu: () => () => undefined,
      },
    })
  })
  await page.reload()
  await prompt(page).fill('')
  await page.getByRole('button', { name: 'Paste', exact: true }).click()
  await page.waitForFunction(() => document.querySelector('textarea')?.value === 'From the desktop')
  await page.context().close()
})

test('a prompt of 100 kB gets a clear answer, and the next question works', async () => {
  const { page } = desk
  await prompt(page).fill('word '.repeat(20_000))
  await page.getByText('100 kB').waitFor()
  await askButton(page).click()
  await page.getByText(/context|too long/i).first().waitFor()
  await prompt(page).fill('Short again.')
  await askButton(page).click()
  await kept(page, 'Short again.')
})

test('a set of prompts is saved, loaded and asked one after the other', async () => {
  const { page, errors } = desk
  await page.getByRole('button', { name: 'Prompt set…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Prompt sets' })
  await dialog.getByLabel('Name').fill('three')
  await dialog.getByLabel('Prompts').fill('One?\nTwo?\nThree?')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByRole('option', { name: 'three · 3 prompts' }).waitFor({ state: 'attached' })
  await axeFindsNothing(page, 'the prompt sets')
  await dialog.getByRole('button', { name: 'Ask all' }).click()
  await kept(page, 'Three?')
  await page.getByRole('button', { name: /^Three\?/ }).waitFor()
  expect((await comparisons()).slice(0, 3).map((each) => each.prompt)).toEqual(['Three?', 'Two?', 'One?'])
  await page.getByRole('button', { name: 'Delete from the history: Two?' }).click()
  await page.getByRole('button', { name: /^Two\?/ }).waitFor({ state: 'detached' })
  expect(errors).toEqual([])
})

test('a conversation of two turns: edited, regenerated, stopped, and there after a reload', async () => {
  const { page, errors } = await openPage(browser, at(`/compare?adapter=${ADAPTER}&view=chat`))
  const message = page.getByLabel('Message', { exact: true })
  const turn = (number: number) => page.getByRole('article', { name: `Turn ${number}` })
  const settled = () => page.getByRole('button', { name: 'Send', exact: true }).waitFor()
  const chats = async () => ((await server.get('/api/chats')) as { chats: { title: string; turns: number }[] }).chats.map(({ title, turns }) => [title, turns])
  const sampling = async (values: Readonly<Record<string, string>>) => {
    await page.getByRole('button', { name: 'Sampling' }).click()
    for (const [label, value] of Object.entries(values)) await page.getByLabel(label, { exact: true }).fill(value)
    await page.getByRole('button', { name: 'Sampling' }).click()
  }
  await sampling({ 'Max tokens': '24', Temperature: '0' })
  await message.fill('Say hello.')
  await message.press('Shift+Enter')
  await message.pressSequentially('Then goodbye.')
  await message.press('Enter')
  await settled()
  await message.fill('And now?')
  await message.press('Enter')
  await turn(2).getByText(/\d+ cached/).nth(1).waitFor() // The second turn reads its own tokens alone, with both.
  await settled()
  expect(await chats()).toEqual([['Say hello. Then goodbye.', 2]])
  await axeFindsNothing(page, 'a conversation')

  await turn(1).getByRole('button', { name: 'Edit prompt 1' }).click()
  await page.getByLabel('Prompt 1').fill('Say ahoy.')
  await page.getByLabel('Prompt 1').press('Enter')
  await page.getByText('1 later turn removed.').waitFor()
  await settled()
  expect(await chats()).toEqual([['Say ahoy.', 1]])
  const before = await turn(1).getByRole('group', { name: `${ADAPTER}, turn 1` }).textContent()
  await turn(1).getByRole('button', { name: 'Regenerate answers 1' }).click()
  await settled()
  const words = (text: string | null) => text?.split('first token')[0]
  expect(words(await turn(1).getByRole('group', { name: `${ADAPTER}, turn 1` }).textContent()), 'deterministic').toBe(words(before))

  // Nearly every token is as likely as any other, so the answer does not end by itself.
  await sampling({ 'Max tokens': '900', Temperature: '5', 'Top p': '1', 'Top k': '0', 'Min p': '0' })
  await message.fill('A long story.')
  await message.press('Enter')
  await turn(2).waitFor()
  await page.keyboard.press('Escape')
  await turn(2).getByText(/[Ss]topped/).first().waitFor()
  await settled()
  await sampling({ 'Max tokens': '16' })
  const [markdown] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Markdown', exact: true }).click()])
  expect(readFileSync(await markdown.path(), 'utf8')).toContain('Say ahoy.')

  await page.reload()
  await turn(2).getByText('A long story.').waitFor()
  expect(await turn(1).getByText('Say ahoy.').count()).toBe(1)
  await page.getByRole('button', { name: 'Delete this conversation' }).click()
  await page.getByText('New conversation', { exact: true }).waitFor()
  expect(await chats()).toEqual([])
  await page.getByRole('button', { name: 'Undo' }).click()
  await turn(2).waitFor()
  expect(await chats()).toEqual([['Say ahoy.', 2]])
  expect(errors).toEqual([])
  await page.context().close()
})

test('base and adapter are evaluated on held-out rows, with a meter, scores, rows and report files', async () => {
  const { page, errors } = desk
  await page.getByText('Evaluate', { exact: true }).click()
  await page.getByLabel('Rows', { exact: true }).fill('6')
  await page.getByLabel('Max tokens').fill('24')
  await page.getByRole('button', { name: 'Evaluate', exact: true }).click()
  await page.getByRole('progressbar', { name: 'Progress of the evaluation' }).waitFor()
  await page.getByRole('table', { name: 'Scores' }).waitFor()
  const loss = page.getByRole('row', { name: /^Loss per token/ })
  expect(await loss.textContent()).toMatch(/−?\d.*\(.* to .*\)(better|worse|inconclusive|no difference)/)
  expect(await page.getByText('6 of 6 rows').count()).toBe(1)
  await axeFindsNothing(page, 'the scores')

  const [report] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Report (Markdown)' }).click()])
  expect(readFileSync(await report.path(), 'utf8')).toContain('Loss per token')
  const [json] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Report (JSON)' }).click()])
  expect(JSON.parse(readFileSync(await json.path(), 'utf8'))).toMatchObject({ adapter_name: ADAPTER, num_questions: 6 })
  expect(errors).toEqual([])
})

test('an evaluation is cancelled, which is said, and keeps nothing', async () => {
  const { page, errors } = desk
  await page.getByLabel('Rows', { exact: true }).fill('36')
  await page.getByLabel('Max tokens').fill('900')
  await page.getByRole('button', { name: 'Evaluate', exact: true }).click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByText('cancelled', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Evaluate', exact: true }).waitFor()
  expect(errors).toEqual([])
})

test('a blind vote by keys hides the names until it is given, and counts', async () => {
  const { page, errors } = desk
  await page.getByText('Blind vote', { exact: true }).click()
  await prompt(page).fill('Say something.')
  await page.getByLabel('Max tokens').fill('16')
  await prompt(page).press('ControlOrMeta+Enter')
  await page.getByRole('button', { name: /^A is better/ }).and(page.locator(':enabled')).waitFor()
  const answers = page.getByRole('region', { name: /Answer [AB]/ })
  expect((await answers.allTextContents()).join(' ')).not.toMatch(/droid-demo|captain|base/)
  await axeFindsNothing(page, 'the blind vote')
  await page.keyboard.press('1')
  await page.getByText(/^You preferred (captain|the base)\./).waitFor()
  expect((await answers.allTextContents()).join(' ')).toMatch(/captain/)
  await page.getByText(/^1 vote: /).waitFor()
  expect(await server.get('/api/arena')).toMatchObject({ standings: [{ adapter_name: ADAPTER, votes: 1, ties: 0 }] })
  const votes = readdirSync(server.dataDir).filter((name) => name === 'arena.jsonl')
  expect(votes).toEqual(['arena.jsonl'])

  // Held-out rows one after the other: a reload loses no pair, and after the vote the next comes by itself.
  const better = page.getByRole('button', { name: /^B is better/ }).and(page.locator(':enabled'))
  await page.getByRole('button', { name: 'Prompt set…' }).click()
  const set = page.getByRole('dialog').getByLabel('Set')
  await set.selectOption({ label: (await set.getByRole('option', { name: /^Held-out rows of captain/ }).textContent()) ?? '' })
  await page.getByRole('button', { name: 'Vote on all' }).click()
  await better.waitFor()
  const text = (await answers.allTextContents()).join(' ')
  await page.reload()
  await better.waitFor()
  expect((await answers.allTextContents()).join(' ')).toBe(text)
  await page.getByRole('heading', { name: 'Answer A' }).click() // Off the field.
  await page.keyboard.press('2')
  await page.getByText(/^2 votes: /).waitFor()
  await better.waitFor()
  await page.getByRole('button', { name: 'End here' }).click()
  expect(errors).toEqual([])
})

test('models are chosen, and a question asked, with the keyboard alone', async () => {
  const { page } = await openPage(browser, at('/compare?target=droid-demo'))
  await page.getByRole('region', { name: 'droid-demo' }).waitFor()
  await tabTo(page, /^Choose models/)
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Choose models' }).waitFor()
  await tabTo(page, /^captain/)
  await page.keyboard.press('Space')
  await tabTo(page, /^Use these 2/)
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: ADAPTER }).waitFor()
  expect(page.url()).toContain('target=droid-demo%3A%3Acaptain')
  await tabTo(page, /^Prompt$/)
  await page.keyboard.type('By keyboard.')
  await page.keyboard.press('ControlOrMeta+Enter')
  await kept(page, 'By keyboard.')
  await page.context().close()
})

const LOOKS: readonly (readonly [Size, 'light' | 'dark'])[] = [
  ['normal', 'dark'],
  ['narrow', 'light'],
  ['narrow', 'dark'],
]

test.each(LOOKS)('axe finds nothing in the three views (%s, %s), nor is one too wide', async (size, scheme) => {
  const { page, errors } = await openPage(browser, at(`/compare?adapter=${ADAPTER}`), { size, scheme })
  await page.getByRole('button', { name: /^Three\?/ }).click()
  await axeFindsNothing(page, 'Ask')
  await page.getByText('Chat', { exact: true }).click()
  await page.getByText('New conversation', { exact: true }).waitFor()
  await axeFindsNothing(page, 'Chat')
  await page.getByText('Ask', { exact: true }).first().click()
  await page.getByRole('button', { name: 'Choose models…' }).click()
  await page.getByRole('checkbox', { name: ADAPTER }).waitFor()
  await axeFindsNothing(page, 'the dialog')
  await page.keyboard.press('Escape')
  await page.getByText('Evaluate', { exact: true }).click()
  await page.getByRole('heading', { name: 'Questions' }).waitFor()
  await axeFindsNothing(page, 'Evaluate')
  await page.getByText('Blind vote', { exact: true }).click()
  await page.getByText(/^2 votes: /).waitFor()
  await axeFindsNothing(page, 'Blind vote')
  expect(errors).toEqual([])
  await page.context().close()
})

/** Puts text on the browser's clipboard as a user does: written, marked, copied. */
async function copied(page: Page, text: string): Promise<{ readonly clipboard: string }> {
  await prompt(page).fill(text)
  await prompt(page).press('ControlOrMeta+A')
  await prompt(page).press('ControlOrMeta+C')
  return { clipboard: text }
}
