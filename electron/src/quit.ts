/** Leaving while a run lives: keep it running, stop and save it, or stay. */
import { setTimeout as delay } from 'node:timers/promises'

import type { Log } from './log'
import type { DialogsPort } from './port'
import { authorised } from './server/token'

const LIVE = new Set(['starting', 'running', 'paused'])
const ANSWER_TIMEOUT = 5_000
const SAVE_TIMEOUT = 60_000
const POLL = 200

const CHOICES = ['Keep Running', 'Stop and Save', 'Cancel'] as const

type Options = {
  readonly url: string
  readonly token?: string | undefined
  readonly ask: DialogsPort['ask']
  readonly log: Log
}

/**
 * True when the app may end. Without a live run, or without a server that answers, nobody is
 * asked: a run is a process of its own, so leaving never harms it.
 */
export async function mayQuit({ url, token, ask, log }: Options): Promise<boolean> {
  const state = await runState(url, token)
  if (state === null || !LIVE.has(state)) return true
  const { response } = await ask({
    type: 'question',
    message: 'A training run is in progress.',
    detail:
      'It can go on without this window: open Droid FineTuning again to see it. ' +
      'Stopping saves the current weights as the latest adapter.',
    buttons: [...CHOICES],
    defaultId: 0,
    cancelId: 2,
    noLink: true,
  })
  const choice = CHOICES[response] ?? 'Cancel'
  log.write('shell', `Quit with a live run: ${choice}.`)
  if (choice !== 'Stop and Save') return choice === 'Keep Running'
  const problem = await stopRun(url, token)
  if (problem === null) return true
  log.write('shell', `The run could not be stopped: ${problem}`)
  await ask({
    type: 'error',
    message: 'The run could not be stopped.',
    detail: `${problem}\n\nIt goes on, and this window stays open.`,
    buttons: ['OK'],
  })
  return false
}

/** The state of the current run; null when the server gives none. */
async function runState(url: string, token: string | undefined): Promise<string | null> {
  try {
    const answer = await fetch(`${url}/training/status`, {
      headers: authorised(token),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT),
    })
    const body: unknown = await answer.json()
    if (!answer.ok || typeof body !== 'object' || body === null || !('state' in body)) return null
    return typeof body.state === 'string' ? body.state : null
  } catch {
    return null // no server, no answer: then there is nothing to ask about
  }
}

/** Asks for a graceful stop and waits until the weights are saved. Null, or why it failed. */
async function stopRun(url: string, token: string | undefined): Promise<string | null> {
  try {
    const answer = await fetch(`${url}/training/stop`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorised(token) },
      body: JSON.stringify({ save: true, hold_queue: true }),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT),
    })
    if (!answer.ok) return await refusal(answer)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  const until = performance.now() + SAVE_TIMEOUT
  const now = () => runState(url, token)
  for (let state = await now(); isGoing(state); state = await now()) {
    if (performance.now() > until) return 'It was still saving after a minute.'
    await delay(POLL)
  }
  return null
}

function isGoing(state: string | null): boolean {
  return state !== null && (state === 'stopping' || LIVE.has(state))
}

async function refusal(answer: Response): Promise<string> {
  const body: unknown = await answer.json().catch(() => null)
  const detail = typeof body === 'object' && body !== null && 'detail' in body ? body.detail : null
  return typeof detail === 'string' ? detail : `The server answered ${answer.status}.`
}
