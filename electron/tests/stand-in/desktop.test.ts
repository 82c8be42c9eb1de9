/**
 * The built app, unchanged, in the stand-in for Electron with a real Chromium window. Here with a
 * small server that misbehaves when told to; `withServer.test.ts` uses the real one.
 */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

import { isAlive, openDesktop } from './desktop'

const FAKE = { DROID_SERVER_PYTHON: resolve(import.meta.dirname, '..', 'fixtures', 'fakePython.cjs') }

test('page, bridge, dialogs, menu and navigation work, and nothing is left behind', async () => {
  const desktop = openDesktop(FAKE)
  const page = await desktop.page()
  expect(await page.title()).toBe('Fake page')

  // The page has the bridge, and nothing else of the shell.
  expect(await page.evaluate('Object.keys(window.droid).sort()')).toEqual([
    'notify',
    'onMenu',
    'openFile',
    'openFolder',
    'pathOfFile',
    'platform',
    'readClipboard',
    'saveFile',
    'showRun',
    'writeText',
  ])
  expect(await page.evaluate('[typeof require, typeof process, typeof __shimInvoke]')).toEqual([
    'undefined',
    'undefined',
    'undefined',
  ])
  expect(await page.evaluate('window.droid.platform')).toBe(process.platform)

  // A dialog's answer comes back; one that is cancelled is null; a bad argument is refused.
  expect(await page.evaluate('window.droid.openFile()')).toBeNull()
  const chosen = join(desktop.dataDir, 'train.jsonl')
  writeFileSync(chosen, '{}\n')
  desktop.answer({ open: chosen })
  expect(await page.evaluate(`window.droid.openFile({ title: 'Training data' })`)).toBe(chosen)
  await expect(page.evaluate(`window.droid.saveFile('../up', 'x')`)).rejects.toThrow('file name')
  await page.evaluate(`window.droid.writeText('a prompt')`)
  expect(await page.evaluate('window.droid.readClipboard()')).toBe('a prompt')

  // The menu reaches the page.
  await page.evaluate(`{
    window.heard = []
    window.stopHearing = window.droid.onMenu((command) => window.heard.push(command))
  }`)
  desktop.press('CmdOrCtrl+Return')
  desktop.press('CmdOrCtrl+4')
  await page.waitForFunction('window.heard.length === 2')
  expect(await page.evaluate('window.heard')).toEqual(['start-training', { page: 'results' }])

  // A link to elsewhere opens outside, and the page stays.
  const here = page.url()
  await page.click('#out', { noWaitAfter: true })
  expect(await desktop.told('external')).toEqual({ external: 'https://example.invalid/away' })
  await page.evaluate(`void window.open('https://example.invalid/popup')`)
  await desktop.told('external', ({ external }) => external.endsWith('/popup'))
  expect(page.url()).toBe(here)
  expect(await page.title()).toBe('Fake page')

  // Quit ends the app and its server.
  const server = desktop.serverPid()
  expect(isAlive(server)).toBe(true)
  desktop.press('quit')
  expect(await desktop.exited).toBe(0)
  expect(isAlive(server)).toBe(false)
})

test('closing the window with a live run asks; keeping it running leaves at once', async () => {
  const desktop = openDesktop({ ...FAKE, FAKE_RUN: 'running' })
  await desktop.page()
  desktop.answer({ button: 'Keep Running' })
  desktop.closeWindow()
  expect(await desktop.told('asked')).toEqual({ asked: 'A training run is in progress.' })
  expect(await desktop.exited).toBe(0)
})

test('a server that refuses to start ends in a message with its words and the log', async () => {
  const desktop = openDesktop({ ...FAKE, FAKE_MODE: 'refuse' })
  const { errorBox } = await desktop.told('errorBox')
  expect(errorBox).toContain('Port 8000 is in use. Choose another with --port.')
  expect(errorBox).toContain(join(desktop.dataDir, 'logs', 'electron.log'))
  expect(await desktop.exited).toBe(1)
})

test('a second instance ends at once and opens nothing', async () => {
  const desktop = openDesktop({ ...FAKE, SHIM_SECOND_INSTANCE: '1' })
  expect(await desktop.exited).toBe(0)
  expect(desktop.log()).toBe('')
})

test('a terminal that is closed ends app and server in order', async () => {
  const desktop = openDesktop(FAKE)
  await desktop.page()
  const server = desktop.serverPid()
  desktop.kill('SIGHUP')
  expect(await desktop.exited).toBe(0)
  expect(isAlive(server)).toBe(false)
})
