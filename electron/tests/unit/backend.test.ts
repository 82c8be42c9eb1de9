import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import {
  BackendFailure,
  cleanEnvironment,
  findBackend,
  isHealthy,
  loopbackOrigin,
  recordedUrl,
  startBackend,
} from '../../src/server/backend'
import { fakeLaunch, isAlive, runningBackend, temporaryFolder } from './given'

const TOKEN = 'a token of 22 or more & odd signs'

describe('starting the server', () => {
  test('it is ready when it has said so and answers as healthy', async () => {
    const { launch } = fakeLaunch()
    const backend = await runningBackend(launch)
    expect(backend.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(await isHealthy(backend.url)).toBe(true)
    expect(readFileSync(launch.log.path, 'utf-8')).toContain(`Listening on ${backend.url}`)
  })

  test('an inherited variable that makes Electron run as Node does not reach it', async () => {
    const { launch } = fakeLaunch({ ELECTRON_RUN_AS_NODE: '1', PYTHONHOME: '/elsewhere', KEPT: 'yes' })
    const backend = await runningBackend(launch)
    const env = (await (await fetch(`${backend.url}/env`)).json()) as NodeJS.ProcessEnv
    expect(env).not.toHaveProperty('ELECTRON_RUN_AS_NODE')
    expect(env).not.toHaveProperty('PYTHONHOME')
    expect(env).toMatchObject({ KEPT: 'yes', PYTHONUNBUFFERED: '1' })
  })

  test('a server that refuses to start is quoted', async () => {
    const { launch } = fakeLaunch({ FAKE_MODE: 'refuse' })
    await expect(startBackend(launch)).rejects.toThrow(
      'The local server ended with code 1. It said: Port 8000 is in use. Choose another with --port.',
    )
  })

  test('a missing Python names its path and the way to get one', async () => {
    const { launch } = fakeLaunch({}, { python: '/nowhere/python' })
    await expect(startBackend(launch)).rejects.toThrow(
      new BackendFailure('There is no Python at /nowhere/python. Run ./startmlxnew once; it sets it up.'),
    )
  })

  test('a server that never says it is ready is ended after the time limit', async () => {
    const { launch } = fakeLaunch({ FAKE_MODE: 'mute' }, { startTimeout: 1_000 })
    await expect(startBackend(launch)).rejects.toThrow('was not ready after 1 seconds')
  })

  test('a server on an address outside this machine is not used', async () => {
    const { launch, happened } = fakeLaunch({ FAKE_MODE: 'outside' })
    await expect(startBackend(launch)).rejects.toThrow('outside this machine')
    expect(happened()).toContain('SIGTERM')
  })

  test('an aborted start leaves no process', async () => {
    const { launch } = fakeLaunch({ FAKE_MODE: 'mute' })
    const abort = new AbortController()
    const start = startBackend(launch, { signal: abort.signal })
    abort.abort()
    await expect(start).rejects.toThrow('aborted')
  })
})

describe('stopping the server', () => {
  test('it is asked to end, and is gone afterwards', async () => {
    const { launch, happened } = fakeLaunch()
    const backend = await startBackend(launch)
    await backend.stop()
    expect(await backend.ended).toEqual({ code: 0, signal: null })
    expect(happened()).toEqual(['started', 'SIGTERM'])
  })

  test('one that ignores the request is killed after its grace', async () => {
    const { launch } = fakeLaunch({ FAKE_MODE: 'stubborn' }, { stopGrace: 50 })
    const backend = await startBackend(launch)
    await backend.stop()
    expect(await backend.ended).toEqual({ code: null, signal: 'SIGKILL' })
    expect(isAlive(backend.pid ?? 0)).toBe(false)
  })

  test('stopping twice is harmless', async () => {
    const backend = await startBackend(fakeLaunch().launch)
    await Promise.all([backend.stop(), backend.stop()])
    await backend.stop()
  })
})

describe('finding a server that runs already', () => {
  test('a healthy one is used and never stopped', async () => {
    const own = await runningBackend(fakeLaunch().launch)
    const found = await findBackend(`${own.url}/some/page`)
    expect(found).toMatchObject({ url: own.url, pid: null })
    await found?.stop()
    expect(await isHealthy(own.url)).toBe(true)
  })

  test('one that asks for a token is found with it, and only with it', async () => {
    const own = await runningBackend(fakeLaunch({ DROID_TOKEN: TOKEN }).launch)
    expect(await findBackend(own.url, TOKEN)).toMatchObject({ url: own.url })
    expect(await findBackend(own.url, 'another')).toBeNull()
    expect(await findBackend(own.url)).toBeNull()
  })

  test('one that does not answer is not found', async () => {
    const gone = await startBackend(fakeLaunch().launch)
    await gone.stop()
    expect(await findBackend(gone.url)).toBeNull()
  })

  test('the lock of a living server tells its address', () => {
    const lock = join(temporaryFolder(), 'server.lock')
    writeFileSync(lock, JSON.stringify({ pid: process.pid, url: 'http://127.0.0.1:8000' }))
    expect(recordedUrl(lock)).toBe('http://127.0.0.1:8000')
  })

  test('the lock of a server that was killed tells nothing', async () => {
    const backend = await startBackend(fakeLaunch().launch)
    await backend.stop()
    const lock = join(temporaryFolder(), 'server.lock')
    writeFileSync(lock, JSON.stringify({ pid: backend.pid, url: backend.url }))
    expect(recordedUrl(lock)).toBeUndefined()
  })

  test.each(['', '{"pid":', '[]', 'null', '{"pid":1,"url":"http://127.0.0.1:1"}', '{"pid":-1}'])(
    'a lock that says %j tells nothing',
    (text) => {
      const lock = join(temporaryFolder(), 'server.lock')
      writeFileSync(lock, text)
      expect(recordedUrl(lock)).toBeUndefined()
    },
  )

  test.each([
    ['http://127.0.0.1:8000', 'http://127.0.0.1:8000'],
    ['http://localhost:8000/x?y', 'http://localhost:8000'],
    ['http://[::1]:8000', 'http://[::1]:8000'],
    ['https://127.0.0.1:8000', null],
    ['http://192.168.1.5:8000', null],
    ['http://127.0.0.1.evil.example:8000', null],
    ['http://127.0.0.1@evil.example', null],
    ['http://user@127.0.0.1:8000', null],
    ['file:///index.html', null],
    ['not a url', null],
    [undefined, null],
  ])('of %s only a loopback origin is taken', (url, origin) => {
    expect(loopbackOrigin(url)).toBe(origin)
  })
})

test('the environment is cleaned by name, and the original stays as it was', () => {
  const env = { ELECTRON_NO_ASAR: '1', NODE_OPTIONS: '--inspect', DROID_URL: 'x', HOME: '/h' }
  expect(cleanEnvironment(env)).toEqual({ HOME: '/h', PYTHONUNBUFFERED: '1', PYTHONUTF8: '1' })
  expect(env.NODE_OPTIONS).toBe('--inspect')
})
