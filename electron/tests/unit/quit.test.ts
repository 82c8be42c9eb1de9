import { expect, test } from 'vitest'

import { mayQuit } from '../../src/quit'
import { fakePort } from './fakePort'
import { fakeLaunch, runningBackend } from './given'

const KEEP = 0
const STOP = 1
const CANCEL = 2

test('without a live run nobody is asked', async () => {
  const { answer, asked } = await leaving('idle', CANCEL)
  expect(answer).toBe(true)
  expect(asked).toEqual([])
})

test('a server that is gone does not hold the app', async () => {
  const { launch } = fakeLaunch()
  const backend = await runningBackend(launch)
  await backend.stop()
  const { ask } = dialogs(CANCEL)
  expect(await mayQuit({ url: backend.url, ask, log: launch.log })).toBe(true)
})

test.each(['starting', 'running'])('a run that is %s may be kept running', async (state) => {
  const { answer, asked, happened } = await leaving(state, KEEP)
  expect(answer).toBe(true)
  expect(asked[0]?.buttons).toEqual(['Keep Running', 'Stop and Save', 'Cancel'])
  expect(happened()).not.toContain('stop and save')
})

test('stopping waits until the run is no longer saving', async () => {
  const { answer, happened, state } = await leaving('running', STOP)
  expect(answer).toBe(true)
  expect(happened()).toContain('stop and save')
  expect(await state()).toBe('stopped')
})

test('cancel stays, and Escape means cancel', async () => {
  const { answer, asked, happened } = await leaving('running', CANCEL)
  expect(answer).toBe(false)
  expect(asked[0]).toMatchObject({ cancelId: CANCEL, defaultId: KEEP })
  expect(happened()).not.toContain('stop and save')
})

test('a refused stop is told in the words of the server, and the app stays', async () => {
  const { answer, asked } = await leaving('paused', STOP)
  expect(answer).toBe(false)
  expect(asked[1]?.detail).toContain('The run does not answer.')
})

function dialogs(button: number) {
  const fake = fakePort()
  fake.answers.button = button
  const { dialogs } = fake.port.createWindow({})
  return { ask: dialogs.ask, asked: fake.asked }
}

async function leaving(run: string, button: number) {
  const { launch, happened } = fakeLaunch({ FAKE_RUN: run })
  const { url } = await runningBackend(launch)
  const { ask, asked } = dialogs(button)
  const answer = await mayQuit({ url, ask, log: launch.log })
  const state = async () => {
    const body = (await (await fetch(`${url}/training/status`)).json()) as { state: string }
    return body.state
  }
  return { answer, asked, happened, state }
}
