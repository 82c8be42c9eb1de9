/**
 * The first start of the packaged app, in the stand-in: with the resources that `npm run dist:dir` has
 * put into the package, an empty data folder, and packages fetched from the network.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

import { openDesktop } from '../stand-in/desktop'

const RESOURCES = resolve(import.meta.dirname, '..', '..', 'release', 'linux-unpacked', 'resources')

test('the first start makes Python, opens the page, and trains; the second one is ready at once', async () => {
  expect(existsSync(RESOURCES), 'npm run dist:dir makes the package').toBe(true)
  const root = mkdtempSync(join(tmpdir(), 'droid packaged '))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }), 60_000)
  const env = { SHIM_RESOURCES: RESOURCES, DROID_DATA_DIR: join(root, 'data') }

  const first = openDesktop(env)
  const page = await first.page()
  expect(new URL(page.url()).protocol).toBe('http:')
  expect(first.log()).toMatch(/uv +Installed \d+ packages/)
  expect(existsSync(join(env.DROID_DATA_DIR, 'environment', 'bin', 'python'))).toBe(true)
  await page.getByRole('button', { name: 'Train the demo' }).click()
  const status = new URL('/training/status', page.url())
  const state = async () => ((await (await fetch(status)).json()) as { state: string }).state
  await expect.poll(state, { timeout: 300_000, interval: 1000 }).toBe('completed')
  first.press('quit')
  expect(await first.exited).toBe(0)

  const began = performance.now()
  const second = openDesktop(env)
  await second.page()
  process.stdout.write(`second start: ${((performance.now() - began) / 1000).toFixed(1)} s\n`)
  expect(second.log().match(/Installed \d+ package/g)).toHaveLength(2)
  second.press('quit')
  expect(await second.exited).toBe(0)
})
