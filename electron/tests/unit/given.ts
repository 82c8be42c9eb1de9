/** Things the tests need often: a folder that goes away again, a log, a way to launch the fake. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'

import { startBackend, type Backend, type Launch } from '../../src/server/backend'
import { openLog } from '../../src/log'

export const FAKE_PYTHON = resolve(import.meta.dirname, '..', 'fixtures', 'fakePython.cjs')

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'droid shell '))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

export type FakeLaunch = { readonly launch: Launch; readonly happened: () => readonly string[] }

export function fakeLaunch(env: NodeJS.ProcessEnv = {}, more: Partial<Launch> = {}): FakeLaunch {
  const folder = temporaryFolder()
  const record = join(folder, 'record')
  const launch: Launch = {
    python: FAKE_PYTHON,
    checkout: folder,
    env: { ...process.env, ...env, FAKE_RECORD: record },
    token: () => env['DROID_TOKEN'],
    log: openLog(join(folder, 'logs', 'electron.log')),
    startTimeout: 10_000,
    stopGrace: 5_000,
    ...more,
  }
  return { launch, happened: () => linesOf(record) }
}

/** Started for one test, and stopped after it whatever the test did. */
export async function runningBackend(launch: Launch): Promise<Backend> {
  const backend = await startBackend(launch)
  onTestFinished(() => backend.stop())
  return backend
}

export function linesOf(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, 'utf-8').split('\n').filter(Boolean) : []
}

/** For a process that is nobody's child here: is there one of that pid? */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
