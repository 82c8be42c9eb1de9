/**
 * The same app in the real Electron, where there is one: after `npx install-electron`, run
 * `npm run test:electron --workspace electron`. Written on a machine without it.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { _electron, type ElectronApplication, type Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'

const HERE = resolve(import.meta.dirname, '..', '..')
const program = electronProgram()

test('the window opens the page of the server, isolated, and quits', async (context) => {
  if (program === null) {
    const reason =
      'No Electron program is installed, so the app was not run in Electron. ' +
      'With an open network: npx install-electron, then this again.'
    process.stderr.write(`${reason}\n`)
    context.skip(reason)
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'droid electron '))
  onTestFinished(() => {
    rmSync(dataDir, { recursive: true, force: true })
  })
  const app = await _electron.launch({
    executablePath: program ?? '',
    args: [HERE, `--user-data-dir=${dataDir}`],
    env: { ...plainEnvironment(), DROID_DATA_DIR: dataDir },
  })
  const page = await app.firstWindow()
  await page.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\//)
  expect(await page.evaluate('[typeof require, typeof process]')).toEqual(['undefined', 'undefined'])
  expect(await page.evaluate('typeof window.droid.openFile')).toBe('function')
  await app.evaluate(({ dialog }) => {
    dialog.showOpenDialog = async () => ({ canceled: false, filePaths: ['/data/train.jsonl'] })
  })
  expect(await page.evaluate('window.droid.openFile()')).toBe('/data/train.jsonl')
  await app.evaluate(({ Menu }) => {
    const view = Menu.getApplicationMenu()?.items.find((item) => item.label === 'View')
    view?.submenu?.items.find((item) => item.label === 'Results')?.click()
  })
  await page.waitForURL(/#\/results$/)
  await pastesThreeWays(app, page)
  await app.close()
  expect(readFileSync(join(dataDir, 'logs', 'electron.log'), 'utf-8')).toContain('Goodbye.')
})

/** Into the prompt of Compare: by keyboard, by the menu, by the button. */
async function pastesThreeWays(app: ElectronApplication, page: Page): Promise<void> {
  const text = 'Pasted """text""" with \\ and 🛶'
  await app.evaluate(({ clipboard }, copied) => {
    clipboard.writeText(copied)
  }, text)
  await page.evaluate(`location.hash = '#/compare?target=droid-demo'`)
  const prompt = page.getByLabel('Prompt', { exact: true })
  const ways = [
    () => prompt.press('ControlOrMeta+V'),
    () => app.evaluate(pasteByMenu),
    () => page.getByRole('button', { name: 'Paste', exact: true }).click(),
  ]
  for (const paste of ways) {
    await prompt.fill('')
    await prompt.focus()
    await paste()
    await expect.poll(() => prompt.inputValue()).toBe(text)
  }
}

/** Runs in Electron's main process. A Mac gives a role's work to whatever has the focus. */
function pasteByMenu({ BrowserWindow, Menu }: typeof Electron.CrossProcessExports): void {
  const edit = Menu.getApplicationMenu()?.items.find((item) => item.label === 'Edit')
  const item = edit?.submenu?.items.find((each) => each.role === 'paste')
  if (!item) throw new Error('The Edit menu has no Paste.')
  const window = BrowserWindow.getAllWindows()[0]
  if (process.platform === 'darwin') Menu.sendActionToFirstResponder('paste:')
  else item.click(undefined, window, window?.webContents)
}

/** Without the variable that would make Electron run as plain Node. */
function plainEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => name !== 'ELECTRON_RUN_AS_NODE')
  return Object.fromEntries(kept) as Record<string, string>
}

/** The downloaded program; asking the module for it would start the download. */
function electronProgram(): string | null {
  const named = process.env['DROID_ELECTRON']
  if (named !== undefined && existsSync(named)) return named
  const folder = dirname(createRequire(import.meta.url).resolve('electron/package.json'))
  const pathFile = join(folder, 'path.txt')
  if (!existsSync(pathFile)) return null
  const program = join(folder, 'dist', readFileSync(pathFile, 'utf-8').trim())
  return existsSync(program) ? program : null
}
