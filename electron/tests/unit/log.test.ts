import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { openLog } from '../../src/log'
import { linesOf, temporaryFolder } from './given'

test('each line says when and who', () => {
  const path = join(temporaryFolder(), 'logs', 'electron.log')
  openLog(path).write('server', 'first\nsecond\n')
  expect(linesOf(path)).toEqual([
    expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z server {2}first$/),
    expect.stringMatching(/ server {2}second$/),
  ])
  expect(statSync(path).mode & 0o077).toBe(0)
})

test('what a program prints cannot drive the terminal that shows the log', () => {
  const path = join(temporaryFolder(), 'electron.log')
  openLog(path).write('server', 'red \u001b[31malarm\u001b[0m\u0007 \u009b')
  expect(readFileSync(path, 'utf-8')).toContain('red alarm ')
  expect(readFileSync(path, 'utf-8')).not.toContain('\u001b')
})

test('it stays within its size and keeps three older files', () => {
  const folder = temporaryFolder()
  const log = openLog(join(folder, 'electron.log'), 1000)
  for (let entry = 0; entry < 100; entry += 1) log.write('shell', `entry ${entry} ${'x'.repeat(60)}`)
  expect(readdirSync(folder).sort()).toEqual([
    'electron.log',
    'electron.log.1',
    'electron.log.2',
    'electron.log.3',
  ])
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThan(1001)
  expect(linesOf(log.path).at(-1)).toContain('entry 99')
})

test('a log that cannot be written does not stop the app', () => {
  const folder = join(temporaryFolder(), 'file')
  mkdirSync(folder)
  chmodSync(folder, 0o500)
  const log = openLog(join(folder, 'electron.log', 'below', 'electron.log'))
  log.write('shell', 'x')
  openLog('/dev/null/electron.log').write('shell', 'x')
})
