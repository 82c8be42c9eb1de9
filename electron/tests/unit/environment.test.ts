import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

import { preparedProgram, remedyOf, type Packaged } from '../../src/server/environment'
import { loadingUrl } from '../../src/loading'
import { openLog } from '../../src/log'
import { FAKE_PYTHON, linesOf, temporaryFolder } from './given'

const FAKE_UV = resolve(import.meta.dirname, '..', 'fixtures', 'fakeUv.cjs')

/** An app as a package has it, whose `uv` is the fake one. */
function installed(mode = 'works') {
  const root = temporaryFolder()
  const service = join(root, 'service')
  const record = join(root, 'record')
  mkdirSync(service)
  symlinkSync(FAKE_UV, join(service, 'uv'))
  writeFileSync(join(service, 'droid_finetuning-1.0-py3-none-any.whl'), 'the first version')
  writeFileSync(join(service, 'requirements.lock'), 'fastapi==1')
  const env = { ...process.env, FAKE_UV: mode, FAKE_UV_RECORD: record, FAKE_UV_PYTHON: FAKE_PYTHON }
  const packaged: Packaged = {
    service, dataDir: join(root, 'data'), env, log: openLog(join(root, 'electron.log')),
  }
  const shown: string[][] = []
  const aborted = new AbortController()
  const prepare = (env: NodeJS.ProcessEnv = {}) =>
    preparedProgram({ ...packaged, env: { ...packaged.env, ...env } }, {
      progress: (...words) => shown.push(words), signal: aborted.signal,
    })
  return { packaged, service, shown, aborted, prepare, calls: () => linesOf(record) }
}

describe('the environment of a package', () => {
  test('is made on the first start: Python, the locked packages, the app; then it is there', async () => {
    const { prepare, calls, shown, packaged } = installed()
    const { python, checkout } = await prepare()
    expect(calls().map((call) => call.split(' ').slice(0, 2).join(' '))).toEqual([
      'venv --clear', 'pip install', 'pip install',
    ])
    expect(calls()[1]).toContain('--require-hashes -r')
    expect(calls()[2]).toMatch(/--no-deps .*\.whl/)
    expect(existsSync(python)).toBe(true)
    expect(checkout).toMatch(/site-packages\/droid_finetuning$/)
    expect(shown.map(([, detail]) => detail)).toContain('Installed <90> packages')
    expect(readFileSync(packaged.log.path, 'utf-8')).toContain('Installed <90> packages')

    await prepare()
    expect(calls()).toHaveLength(3)
  })

  test('is made anew after an update of the app', async () => {
    const { prepare, calls, service } = installed()
    await prepare()
    writeFileSync(join(service, 'droid_finetuning-1.0-py3-none-any.whl'), 'the second version')
    await prepare()
    expect(calls()).toHaveLength(6)
  })

  test('is made anew when it was cut short', async () => {
    const { prepare, calls } = installed()
    await expect(prepare({ FAKE_UV: 'the cable was pulled' })).rejects.toThrow(
      'Python could not be set up. error: the cable was pulled',
    )
    await prepare()
    expect(calls()).toHaveLength(5)
  })

  test('a failure says in plain words what to do', async () => {
    const { prepare } = installed('Failed to fetch: `https://example.invalid/simple/mlx/`')
    await expect(prepare()).rejects.toThrow('Go online, then start the app again')
  })

  test('leaving ends it', async () => {
    const { prepare, aborted, shown } = installed('hang')
    const making = prepare()
    await expect.poll(() => shown.length).toBeGreaterThan(2)
    aborted.abort()
    await expect(making).rejects.toThrow(/abort/i)
  })

  test('a package without its wheel is damaged, and says so', async () => {
    const { packaged, aborted } = installed()
    const empty = { ...packaged, service: join(packaged.dataDir, 'nowhere') }
    await expect(
      preparedProgram(empty, { progress: () => undefined, signal: aborted.signal }),
    ).rejects.toThrow('has no wheel. Fetch the app again.')
  })
})

test.each([
  ['error: failed to write: No space left on device (os error 28)', 'The disk is full.'],
  ['error: Permission denied (os error 13)', 'can’t be written to'],
  ['× Hash mismatch for `mlx==0.32.4`', 'not the one this app was made with'],
  ["mlx==0.32.4 has no wheels with a matching platform tag (e.g., `macosx_12_0_x86_64`)", 'MLX has no version'],
  ['error: Failed to download `torch`: dns error: failed to lookup address', 'Go online'],
])('%s is explained', (words, remedy) => {
  expect(remedyOf(words, '/data')).toContain(remedy)
})

test('what uv says is shown as text, whatever it holds', () => {
  const page = decodeURIComponent(loadingUrl('Setting up', '<script>alert("1 & 2")</script>'))
  expect(page).toContain('&#60;script&#62;alert("1 &#38; 2")')
})
