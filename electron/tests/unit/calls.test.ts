import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { desktopCalls } from '../../src/calls'
import { fakePort } from './fakePort'
import { temporaryFolder } from './given'

function desktop() {
  const fake = fakePort()
  const { dialogs } = fake.port.createWindow({})
  return { ...fake, calls: desktopCalls(() => dialogs, fake.port.clipboard) }
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
