import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { desktopCalls } from '../../src/calls'
import { fakePort } from './fakePort'
import { temporaryFolder } from './given'

function desktop() {
  const fake = fakePort()
  const { dialogs, window } = fake.port.createWindow({})
  let shown = 0
  const show = () => {
    shown += 1
  }
  const calls = desktopCalls({ port: fake.port, dialogs: () => dialogs, window, show })
  return { ...fake, calls, window: fake.windows[0], shown: () => shown }
}

describe('opening', () => {
  test('the chosen path is answered', async () => {
    const { calls, answers, opened } = desktop()
    answers.open = { canceled: false, filePaths: ['/data/train.jsonl'] }
    const filters = [{ name: 'Data', extensions: ['jsonl'] }]
    expect(await calls['file:open']({ title: 'Training data', filters })).toBe('/data/train.jsonl')
    expect(opened[0]).toMatchObject({ properties: ['openFile'], title: 'Training data', filters })
  })

  test('a folder dialog offers folders', async () => {
    const { calls, answers, opened } = desktop()
    answers.open = { canceled: false, filePaths: ['/models/mine'] }
    expect(await calls['folder:open']({ startIn: '/models' })).toBe('/models/mine')
    expect(opened[0]).toEqual({ properties: ['openDirectory'], defaultPath: '/models' })
  })

  test('a cancelled dialog is null', async () => {
    const { calls } = desktop()
    expect(await calls['file:open']()).toBeNull()
    expect(await calls['file:save']('a.csv', 'x')).toBeNull()
  })
})

describe('saving', () => {
  test('the text is in the chosen file, and nothing else is in its folder', async () => {
    const { calls, answers } = desktop()
    const folder = temporaryFolder()
    const filePath = join(folder, 'loss.csv')
    writeFileSync(filePath, 'old')
    answers.save = { canceled: false, filePath }
    expect(await calls['file:save']('loss.csv', 'step,loss\n')).toBe(filePath)
    expect(readFileSync(filePath, 'utf-8')).toBe('step,loss\n')
    expect(readdirSync(folder)).toEqual(['loss.csv'])
  })

  test('a folder that is not there is an error, not a lost file', async () => {
    const { calls, answers } = desktop()
    answers.save = { canceled: false, filePath: join(temporaryFolder(), 'gone', 'loss.csv') }
    await expect(calls['file:save']('loss.csv', 'x')).rejects.toThrow('ENOENT')
  })
})

test('the clipboard is written and read', async () => {
  const { calls } = desktop()
  await calls['clipboard:write']('a prompt')
  expect(await calls['clipboard:read']()).toBe('a prompt')
})

describe('a run', () => {
  test('is on the task bar, and keeps the machine awake once and only while it is wanted', async () => {
    const { calls, window, blockers } = desktop()
    await calls['run:show']({ fraction: 0.25, awake: true })
    await calls['run:show']({ fraction: 0.5, awake: true })
    expect(blockers.kinds).toEqual(['prevent-app-suspension'])
    expect(blockers.held()).toBe(1)
    await calls['run:show']({ fraction: null, awake: false })
    expect(blockers.held()).toBe(0)
    await calls['run:show'](null)
    expect(window?.progress).toEqual([0.25, 0.5, 2, -1])
  })

  test('that ends unseen is told, with a mark that goes when the window is looked at', async () => {
    const { calls, window, notified, badges, shown } = desktop()
    await calls['run:notify']('Training is complete', 'captain')
    expect(notified.map(({ title, text }) => `${title}: ${text}`)).toEqual(['Training is complete: captain'])
    expect(badges).toEqual([1])
    notified[0]?.click()
    expect(shown()).toBe(1)
    window?.emit('focus')
    expect(badges).toEqual([1, 0])
  })

  test('that ends in front of the user is not told', async () => {
    const { calls, window, notified } = desktop()
    if (window) window.focused = true
    await calls['run:notify']('Training is complete', 'captain')
    expect(notified).toEqual([])
  })
})

test('a dialog opens where the last one ended, unless the page says where', async () => {
  const { calls, answers, opened } = desktop()
  answers.open = { canceled: false, filePaths: ['/data/mine/train.jsonl'] }
  await calls['file:open']()
  await calls['file:open']()
  await calls['file:open']({ startIn: '/elsewhere' })
  await calls['folder:open']()
  expect(opened.map(({ defaultPath }) => defaultPath)).toEqual([undefined, '/data/mine', '/elsewhere', undefined])
})
