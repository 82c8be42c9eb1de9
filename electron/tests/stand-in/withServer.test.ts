/** The built app in the stand-in, with the real server and the real page. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'

import { isAlive, openDesktop, type Desktop } from './desktop'

const CHECKOUT = resolve(import.meta.dirname, '..', '..', '..')

beforeAll(() => {
  for (const [path, remedy] of [
    ['.venv/bin/python', 'Run ./startmlxnew --no-window once, or scripts/setup.sh.'],
    ['frontend/dist/index.html', 'Run npm run build first.'],
  ] as const) {
    if (!existsSync(join(CHECKOUT, path))) throw new Error(`${path} is missing. ${remedy}`)
  }
})

/** The server's own record of itself, which also outlives a shell that was killed. */
function serverOf(desktop: Desktop): { readonly pid: number; readonly url: string } {
  const lock = join(desktop.dataDir, 'sessions', 'server.lock')
  return JSON.parse(readFileSync(lock, 'utf-8')) as { pid: number; url: string }
}

test('the page of the real server opens, hears the menu, and the server ends with the app', async () => {
  const desktop = openDesktop()
  const page = await desktop.page()
  const { pid, url } = serverOf(desktop)
  expect(pid).toBe(desktop.serverPid())
  expect(new URL(page.url()).origin).toBe(url)
  await page.getByRole('navigation').first().waitFor()

  desktop.press('CmdOrCtrl+4')
  await page.waitForURL(/#\/results$/)
  desktop.press('CmdOrCtrl+1')
  await page.waitForURL(/#\/setup$/)

  desktop.press('quit')
  expect(await desktop.exited).toBe(0)
  expect(isAlive(pid)).toBe(false)
})

test('the Paste button of Compare reads the clipboard through preload and shell', async () => {
  const desktop = openDesktop()
  const page = await desktop.page()
  const text = 'Pasted """text""" with \\ and 🛶'
  await page.evaluate(`window.droid.writeText(${JSON.stringify(text)})`)
  await page.goto(`${serverOf(desktop).url}/#/compare?target=droid-demo`)
  const prompt = page.getByLabel('Prompt', { exact: true })
  await prompt.fill('Before: ')
  await page.getByRole('button', { name: 'Paste', exact: true }).click()
  await expect.poll(() => prompt.inputValue()).toBe(`Before: ${text}`)
  desktop.press('quit')
  expect(await desktop.exited).toBe(0)
})

test('a run is shown on the desktop, keeps the machine awake, and a link leads to one', async () => {
  const desktop = openDesktop()
  const page = await desktop.page()
  await page.getByRole('navigation').first().waitFor()
  await page.evaluate('window.droid.showRun({ fraction: 0.5, awake: true })')
  await desktop.told('progress', ({ progress }) => progress === 0.5)
  await desktop.told('blockers', ({ blockers }) => blockers === 1)
  await page.evaluate('window.droid.notify("Training is complete", "captain")')
  expect(await desktop.told('notified')).toEqual({ notified: 'Training is complete: captain' })
  await page.evaluate('window.droid.showRun(null)')
  await desktop.told('blockers', ({ blockers }) => blockers === 0)

  desktop.openLink('droid-finetuning://session/0c6ae53e-6a3c-4f27-9d5b-0d2f0f7a9c11')
  await page.waitForURL(/#\/results\/0c6ae53e-6a3c-4f27-9d5b-0d2f0f7a9c11$/)
  desktop.press('quit')
  expect(await desktop.exited).toBe(0)
})

test('a server that is killed comes back on the same address', async () => {
  const desktop = openDesktop()
  const page = await desktop.page()
  const before = serverOf(desktop)
  process.kill(before.pid, 'SIGKILL')
  await expect
    .poll(() => page.evaluate(`fetch('/health').then((a) => a.ok, () => false)`), { timeout: 30_000 })
    .toBe(true)
  const after = serverOf(desktop)
  expect(after.url).toBe(before.url)
  expect(after.pid).not.toBe(before.pid)

  desktop.press('quit')
  expect(await desktop.exited).toBe(0)
  expect(isAlive(after.pid)).toBe(false)
})

test('a shell that was killed leaves its server, and the next one uses it', async () => {
  const first = openDesktop()
  await first.page()
  const { pid, url } = serverOf(first)
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  })
  first.kill('SIGKILL')
  await first.exited
  expect(isAlive(pid)).toBe(true)

  const second = openDesktop({ DROID_DATA_DIR: first.dataDir })
  const page = await second.page()
  expect(new URL(page.url()).origin).toBe(url)
  second.press('quit')
  expect(await second.exited).toBe(0)
  expect(isAlive(pid)).toBe(true) // it belongs to nobody here; ./killmlxnew ends it
  process.kill(pid, 'SIGTERM')
  await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false)
})
