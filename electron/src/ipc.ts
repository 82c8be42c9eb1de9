/**
 * Every channel between page and shell, in one map. The main process answers a call only when it
 * comes from the page of our own server, in the top frame, and its arguments have the right form.
 */
import type { IpcMainInvokeEvent } from 'electron'

import type { Bridge, FileFilter, MenuCommand, OpenFileOptions, ShownRun } from './bridge'
import type { ElectronPort } from './port'

/** Page → shell: asked and answered. */
export type Calls = {
  readonly 'file:open': Bridge['openFile']
  readonly 'folder:open': Bridge['openFolder']
  readonly 'file:save': Bridge['saveFile']
  readonly 'clipboard:read': Bridge['readClipboard']
  readonly 'clipboard:write': Bridge['writeText']
  readonly 'run:show': Bridge['showRun']
  readonly 'run:notify': Bridge['notify']
}

/** Shell → page. */
export type Messages = { readonly 'menu:command': MenuCommand }

export type Channel = keyof Calls

type Options = {
  readonly ipcMain: ElectronPort['ipcMain']
  /** The origin that may call; null while there is no server yet. */
  readonly trustedOrigin: () => string | null
  readonly calls: Calls
  readonly onRefused: (reason: string) => void
}

export function answerCalls({ ipcMain, trustedOrigin, calls, onRefused }: Options): void {
  const answer = <C extends Channel>(
    channel: C,
    parse: (args: readonly unknown[]) => Parameters<Calls[C]>,
  ) => {
    ipcMain.handle(channel, (event, ...args: unknown[]) => {
      const sender = describeSender(event)
      if (!isTrusted(event, trustedOrigin())) {
        onRefused(`${channel} from ${sender}`)
        throw new Error(`${channel} is not available to ${sender}.`)
      }
      // A union of functions can't be called with a union of arguments; the map pairs them.
      const call = calls[channel] as (...given: Parameters<Calls[C]>) => ReturnType<Calls[C]>
      return call(...parse(args))
    })
  }
  answer('file:open', ([options]) => [openFileOptions(options)])
  answer('folder:open', ([options]) => [openFileOptions(options)])
  answer('file:save', ([name, text]) => [fileName(name), content(text)])
  answer('clipboard:read', () => [])
  answer('clipboard:write', ([text]) => [content(text)])
  answer('run:show', ([run]) => [shownRun(run)])
  answer('run:notify', ([title, text]) => [line(title, 'title'), line(text, 'text')])
}

/** Compares whole origins: a prefix test would let `http://127.0.0.1:80@evil` pass. */
export function isTrusted(
  event: Pick<IpcMainInvokeEvent, 'senderFrame'>,
  origin: string | null,
): boolean {
  const frame = event.senderFrame
  if (origin === null || frame === null || frame.parent !== null) return false
  return originOf(frame.url) === origin
}

/** The origin of a URL; null for anything that has none, such as `data:` and `file:`. */
export function originOf(url: string): string | null {
  if (!URL.canParse(url)) return null
  const { origin } = new URL(url)
  return origin === 'null' ? null : origin
}

const LINK = /^droid-finetuning:\/\/session\/([A-Za-z0-9][A-Za-z0-9-]{0,63})\/?$/

/** The run that a link of ours names; null for anything else that the system hands over. */
export function linkedSession(url: string): string | null {
  return LINK.exec(url)?.[1] ?? null
}

const TEXT_LIMIT = 32 * 1024 * 1024
const LINE_LIMIT = 1024

function describeSender(event: Pick<IpcMainInvokeEvent, 'senderFrame'>): string {
  const frame = event.senderFrame
  if (frame === null) return 'a frame that is gone'
  return `${originOf(frame.url) ?? 'a page without origin'}${frame.parent ? ' in a subframe' : ''}`
}

function openFileOptions(value: unknown): OpenFileOptions {
  if (value === undefined || value === null) return {}
  const given = record(value, 'options')
  const options: { -readonly [K in keyof OpenFileOptions]: OpenFileOptions[K] } = {}
  if (given['title'] !== undefined) options.title = line(given['title'], 'title')
  if (given['startIn'] !== undefined) options.startIn = line(given['startIn'], 'startIn')
  if (given['filters'] !== undefined) options.filters = list(given['filters'], 'filters').map(filter)
  return options
}

function filter(value: unknown): FileFilter {
  const given = record(value, 'a filter')
  const extensions = list(given['extensions'], 'extensions').map((one) => line(one, 'an extension'))
  const odd = extensions.find((one) => !/^(\*|[A-Za-z0-9]{1,16})$/.test(one))
  if (odd !== undefined) throw new TypeError(`${JSON.stringify(odd)} is not a file extension.`)
  return { name: line(given['name'], 'name'), extensions }
}

function shownRun(value: unknown): ShownRun | null {
  if (value === null || value === undefined) return null
  const { fraction, awake } = record(value, 'run')
  const share = fraction === null || (typeof fraction === 'number' && fraction >= 0 && fraction <= 1)
  if (!share) throw new TypeError('fraction must be a number from 0 to 1, or null.')
  return { fraction: fraction as number | null, awake: awake === true }
}

function fileName(value: unknown): string {
  const name = line(value, 'name')
  // Only a suggestion for the dialog, but one that must not lead into another folder.
  if (name === '' || name === '.' || name === '..' || /[/\\]/.test(name)) {
    throw new TypeError(`${JSON.stringify(name)} is not a file name. Give a name without a folder.`)
  }
  return name
}

function content(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('text must be a string.')
  if (value.length > TEXT_LIMIT) {
    throw new TypeError(`text has ${value.length} characters; at most ${TEXT_LIMIT} are taken.`)
  }
  return value
}

function line(value: unknown, name: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (typeof value !== 'string' || value.length > LINE_LIMIT || /[\u0000-\u001f]/.test(value)) {
    throw new TypeError(`${name} must be one line of at most ${LINE_LIMIT} characters.`)
  }
  return value
}

function list(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > 32) {
    throw new TypeError(`${name} must be a list of at most 32 entries.`)
  }
  return value as readonly unknown[]
}

function record(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name} must be an object.`)
  }
  return value as Readonly<Record<string, unknown>>
}
