import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

import { isHealthy } from '../../src/server/backend'
import { isLoadingUrl, loadingUrl } from '../../src/loading'
import { run } from '../../src/shell'
import { callFrom, fakePort, type FakePort } from './fakePort'
import { fakeLaunch, runningBackend } from './given'

type More = {
  readonly env?: NodeJS.ProcessEnv
  readonly argv?: readonly string[]
  readonly platform?: NodeJS.Platform
  readonly runningUrl?: string
  readonly button?: number
  readonly fake?: FakePort
  /** `run` never resolves in this test. */
  readonly endless?: boolean
}

/** The app over the fake port, as far as `run` takes it. */
async function started(more: More = {}) {
  const { platform = 'linux', runningUrl, button = 0, fake = fakePort() } = more
  fake.answers.button = button
  const { launch, happened } = fakeLaunch(more.env)
  let signalled: (signal: string) => void = () => undefined
  const running = run(fake.port, {
    platform,
    preload: '/dist/preload.cjs',
    windowFile: join(launch.checkout, 'window.json'),
    log: launch.log,
    launch,
    argv: more.argv ?? [],
    runningUrls: () => [undefined, runningUrl],
    onSignal: (listener) => {
      signalled = listener
    },
  })
  onTestFinished(async () => {
    signalled('end of test')
    if (!more.endless) await running
    await fake.exited
  })
  const loaded = () => fake.windows[0]?.loaded ?? []
  const origin = () => new URL(loaded().at(-1) ?? '').origin
  const signal = (name: string) => {
    signalled(name)
  }
  return { ...fake, running, launch, happened, loaded, origin, signal }
}

describe('starting', () => {
  test('the window shows that the server starts, then the page from the server', async () => {
    const { running, loaded, windows } = await started()
    await running
    expect(loaded()).toEqual([loadingUrl(), expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/)])
    expect(windows[0]?.visible).toBe(true)
    expect(windows[0]?.webContents.cleared).toBe(1)
  })

  test('a second instance leaves at once and brings the first to the front', async () => {
    const { port, running, windows } = await started()
    await running
    const second = fakePort()
    second.port.app.locked = false
    await run(second.port, {} as never)
    expect(await second.exited).toBe(0)
    expect(second.windows).toEqual([])

    windows[0]?.hide()
    port.app.emit('second-instance', {}, [])
    expect(windows[0]?.visible).toBe(true)
  })

  test('a failed start names the reason and the log, and ends with an error', async () => {
    const { errors, exited, launch } = await started({ env: { FAKE_MODE: 'refuse' } })
    expect(await exited).toBe(1)
    expect(errors[0]?.content).toContain('Port 8000 is in use.')
    expect(errors[0]?.content).toContain(launch.log.path)
    expect(readFileSync(launch.log.path, 'utf-8')).toContain('Port 8000 is in use.')
  })

  test('a page that cannot be loaded is told, not left as an empty window', async () => {
    const fake = fakePort()
    const own = await runningBackend(fakeLaunch().launch)
    loadsThrough(fake, async () => {
      throw new Error("ERR_CONNECTION_REFUSED (-102) loading 'x'")
    })
    const { running, exited, errors } = await started({ runningUrl: own.url, fake })
    await running
    expect(await exited).toBe(1)
    expect(errors[0]?.content).toContain('could not be loaded')
  })

  test('a server that runs already is used, and still runs afterwards', async () => {
    const own = await runningBackend(fakeLaunch().launch)
    const { running, port, origin, exited, happened } = await started({ runningUrl: own.url })
    await running
    expect(origin()).toBe(own.url)
    port.app.quit()
    await exited
    expect(happened()).toEqual([])
    expect(await isHealthy(own.url)).toBe(true)
  })

  test('a server with a token is found, opened with it, and asked about its run', async () => {
    const token = 'twenty-two characters & one more'
    const env = { DROID_TOKEN: token, FAKE_RUN: 'running' }
    const own = await runningBackend(fakeLaunch(env).launch)
    const { running, loaded, port, asked, exited } = await started({ env, runningUrl: own.url })
    await running
    expect(loaded().at(-1)).toBe(`${own.url}/?token=twenty-two%20characters%20%26%20one%20more`)
    port.app.quit()
    expect(await exited).toBe(0)
    expect(asked).toHaveLength(1)
  })
})

describe('the page', () => {
  test('is answered on its own address, and other pages are not', async () => {
    const { running, handlers, answers, origin } = await started()
    const open = handlers
    answers.open = { canceled: false, filePaths: ['/data/train.jsonl'] }
    await running
    const ask = async (url: string) => open.get('file:open')?.(callFrom(url), {})
    expect(await ask(`${origin()}/#/setup`)).toBe('/data/train.jsonl')
    await expect(ask('http://evil.example/')).rejects.toThrow('not available')
  })

  test('hears the menu', async () => {
    const { running, windows, menu } = await started()
    await running
    const training = menu().find((item) => item.label === 'Training')
    const start = Array.isArray(training?.submenu) ? training.submenu[0] : undefined
    ;(start?.click as (() => void) | undefined)?.()
    expect(windows[0]?.webContents.sent).toEqual([['menu:command', 'start-training']])
  })

  test('has a menu for the right mouse button, with what can be done there', async () => {
    const { running, windows, popups } = await started()
    await running
    const editFlags = { canCut: false, canCopy: false, canPaste: true, canSelectAll: true }
    const press = (isEditable: boolean, selectionText = '') =>
      windows[0]?.webContents.emit('context-menu', {}, { isEditable, selectionText, editFlags })
    press(true)
    press(false, 'an answer')
    press(false)
    expect(popups).toHaveLength(2)
    expect(popups[0]).toContainEqual({ role: 'paste', enabled: true })
    expect(popups[0]).toContainEqual({ role: 'cut', enabled: false })
    expect(popups[1]).toEqual([{ role: 'copy' }])
  })

  test('whose process crashed is loaded again', async () => {
    const { running, windows } = await started()
    await running
    windows[0]?.webContents.emit('render-process-gone', {}, { reason: 'crashed' })
    expect(windows[0]?.webContents.reloads).toBe(1)
  })
})

describe('leaving', () => {
  test('first the question, then the server, then the app', async () => {
    const { running, port, asked, exited, happened } = await started({ env: { FAKE_RUN: 'running' } })
    await running
    port.app.quit()
    expect(await exited).toBe(0)
    expect(asked).toHaveLength(1)
    expect(happened()).toEqual(['started', 'SIGTERM'])
  })

  test('stop and save comes before the end of the server', async () => {
    const { running, port, exited, happened } = await started({
      env: { FAKE_RUN: 'running' },
      button: 1,
    })
    await running
    port.app.quit()
    await exited
    expect(happened()).toEqual(['started', 'stop and save', 'SIGTERM'])
  })

  test('after Cancel everything is as before, and one can leave later', async () => {
    const { running, port, answers, windows, asked, exited, happened, origin } = await started({
      env: { FAKE_RUN: 'running' },
      button: 2,
    })
    await running
    const shown = once(windows[0] ?? port.app, 'focused') // the question shows the window
    port.app.quit()
    await shown
    await new Promise(setImmediate)
    expect(await isHealthy(origin())).toBe(true)
    expect(happened()).toEqual(['started'])
    answers.button = 0
    port.app.quit()
    expect(await exited).toBe(0)
    expect(asked).toHaveLength(2)
  })

  test('closing the window leaves, and its place is remembered', async () => {
    const { running, windows, exited, launch } = await started()
    await running
    windows[0]?.close()
    expect(await exited).toBe(0)
    const kept: unknown = JSON.parse(readFileSync(join(launch.checkout, 'window.json'), 'utf-8'))
    expect(kept).toMatchObject({ bounds: { x: 40, y: 30, width: 1200, height: 800 } })
  })

  test('on a Mac closing hides the window, and the Dock brings it back', async () => {
    const { running, windows, port } = await started({ platform: 'darwin' })
    await running
    expect(windows[0]?.close()).toBe(false)
    expect(windows[0]?.visible).toBe(false)
    port.app.emit('activate')
    expect(windows[0]?.visible).toBe(true)
  })

  test('while the server still starts, nothing is left behind', async () => {
    const { running, port, exited } = await started({ env: { FAKE_MODE: 'mute' } })
    port.app.quit()
    expect(await exited).toBe(0)
    await running
  })

  test('a page that never finishes loading holds up nobody', async () => {
    const fake = fakePort()
    const asked = new Promise<void>((resolve) => {
      loadsThrough(fake, () => {
        resolve()
        return new Promise(() => undefined)
      })
    })
    const { port, exited } = await started({ fake, endless: true })
    await asked
    port.app.quit()
    expect(await exited).toBe(0)
  })

  test('a signal leaves without a question, and the run goes on', async () => {
    const { running, signal, asked, exited, happened } = await started({
      env: { FAKE_RUN: 'running' },
    })
    await running
    signal('SIGTERM')
    expect(await exited).toBe(0)
    expect(asked).toEqual([])
    expect(happened()).toEqual(['started', 'SIGTERM'])
  })

  test('a second quit while the server still ends waits for it too', async () => {
    const { running, signal, port, exited, happened } = await started()
    await running
    signal('SIGHUP')
    port.app.quit()
    expect(await exited).toBe(0)
    expect(happened()).toEqual(['started', 'SIGTERM'])
  })

  test('the page may not hold up a decided leave', async () => {
    const { running, windows, port, exited } = await started()
    await running
    const before = { prevented: false, preventDefault: () => (before.prevented = true) }
    windows[0]?.webContents.emit('will-prevent-unload', before)
    expect(before.prevented).toBe(false)
    port.app.quit()
    await exited
    windows[0]?.webContents.emit('will-prevent-unload', before)
    expect(before.prevented).toBe(true)
  })

  test('a server that dies for good is told with its log', async () => {
    const { running, errors, origin, exited, launch } = await started()
    await running
    // The address stays the same over restarts, so each "die" ends the newest one.
    const address = origin()
    const server = await dieUntilGone(address)
    expect(server).toBe('gone')
    expect(await exited).toBe(1)
    expect(errors[0]?.content).toContain('restarted 3 times within a minute')
    expect(errors[0]?.content).toContain(launch.log.path)
  })
})

/** Replaces what loading the server's page does; the page shown before loads as ever. */
function loadsThrough({ port }: FakePort, load: (url: string) => Promise<void>): void {
  const create = port.createWindow
  port.createWindow = (options) => {
    const opened = create(options)
    opened.window.loadURL = async (url) => {
      if (!isLoadingUrl(url)) await load(url)
    }
    return opened
  }
}

/** Ends the server, waits for its successor, and again, until there is none. */
async function dieUntilGone(url: string): Promise<'gone' | 'still there'> {
  for (let life = 0; life < 4; life += 1) {
    while (!(await isHealthy(url))) await new Promise(setImmediate)
    await fetch(`${url}/die`).catch(() => undefined)
  }
  return (await isHealthy(url)) ? 'still there' : 'gone'
}

describe('a link to a run', () => {
  const LINK = 'droid-finetuning://session/0c6ae53e'
  const MESSAGE = ['menu:command', { session: '0c6ae53e' }]

  test('in the command line leads the page there once it is loaded', async () => {
    const { running, windows, port } = await started({ argv: ['electron', '.', LINK] })
    await running
    expect(port.app.protocols).toEqual(['droid-finetuning'])
    expect(windows[0]?.webContents.sent).toEqual([MESSAGE])
  })

  test('of the system is followed at once, of a second instance too, and before the page it waits', async () => {
    const { running, windows, port } = await started()
    port.app.emit('open-url', { preventDefault: () => undefined }, LINK)
    await running
    expect(windows[0]?.webContents.sent).toEqual([MESSAGE])
    port.app.emit('second-instance', {}, ['electron', LINK])
    port.app.emit('open-url', { preventDefault: () => undefined }, 'droid-finetuning://other')
    expect(windows[0]?.webContents.sent).toEqual([MESSAGE, MESSAGE])
  })
})
