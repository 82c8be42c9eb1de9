import { expect, test } from 'vitest'
import type { DownloadInfo } from '@/api/generated'
import type { JobView } from '@/api/jobSlice'
import { merged, progressWords, repoIdOf, repoIdProblem } from './downloads'

const INFO: DownloadInfo = {
  id: 'd1',
  repo_id: 'acme/tiny',
  revision: 'main',
  name: 'tiny',
  state: 'downloading',
  bytes_done: 250_000_000,
  bytes_total: 1_000_000_000,
  bytes_per_second: 25_000_000,
  eta_seconds: 30,
}

test('a pasted address is read as the name in it', () => {
  expect(repoIdOf('https://huggingface.co/acme/tiny/tree/main?x=1')).toBe('acme/tiny')
  expect(repoIdOf('hf.co/acme/tiny')).toBe('acme/tiny')
  expect(repoIdOf('  acme/tiny ')).toBe('acme/tiny')
})

test('what can be no name is told before it is asked for', () => {
  expect(repoIdProblem('acme/tiny')).toBeNull()
  expect(repoIdProblem('')).toContain('for example')
  for (const bad of ['https://elsewhere.example/a/b', '@/up', 'a b/c', 'a/b/c']) {
    expect(repoIdProblem(bad), bad).toContain('organisation/name')
  }
})

test('a line says how much, how fast and how long', () => {
  expect(progressWords(INFO)).toBe('250 MB of 1.0 GB · 25 MB/s · 30 s left')
  expect(progressWords({ ...INFO, bytes_per_second: null, eta_seconds: null })).toBe('250 MB of 1.0 GB')
})

test('what the stream told is newer than the list', () => {
  const told: JobView = {
    kind: 'download',
    job_id: 'd1',
    state: 'error',
    phase: 'error',
    progress: 0.5,
    bytes_done: 500_000_000,
    bytes_total: 1_000_000_000,
    error: 'The disk is full.',
    hint: 'Free some space.',
    over: true,
  }
  const [info] = merged([INFO], [told])
  expect(info).toMatchObject({ state: 'error', bytes_done: 500_000_000, error: 'The disk is full.', bytes_per_second: null })
})

test('one that was discarded is gone before the list is asked for again', () => {
  const told: JobView = { kind: 'download', job_id: 'd1', state: 'removed', phase: 'removed', progress: null, over: false }
  expect(merged([INFO], [told])).toEqual([])
})
