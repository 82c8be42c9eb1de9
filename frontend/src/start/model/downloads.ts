/** What a download is asked for by, and what is said of it. */
import type { DownloadInfo } from '@/api/generated'
import type { JobView } from '@/api/jobSlice'
import { bytes, duration } from '@/lib/format'

const SHAPE = /^(?:[A-Za-z0-9][\w.-]*\/)?[A-Za-z0-9][\w.-]*$/

/** The name in what people paste: an address of the hub, with or without a file's path. */
export function repoIdOf(text: string): string {
  const address = /^(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co)\/(.+)$/.exec(text.trim())
  if (!address?.[1]) return text.trim()
  return address[1].split(/[?#]/)[0]?.split('/').slice(0, 2).join('/') ?? ''
}

export function repoIdProblem(text: string): string | null {
  const id = repoIdOf(text)
  if (id === '') return 'Give the name of a model, for example mlx-community/Qwen2.5-0.5B-Instruct-4bit.'
  if (!SHAPE.test(id)) return 'A model’s name is organisation/name, as on huggingface.co.'
  return null
}

export function isLive({ state }: DownloadInfo): boolean {
  return state === 'waiting' || state === 'preparing' || state === 'downloading' || state === 'retrying' || state === 'converting'
}

/** Stopped with a part kept: it can go on, or be thrown away. */
export function canResume({ state }: DownloadInfo): boolean {
  return state === 'cancelled' || state === 'interrupted' || state === 'error'
}

/** The list as it was asked for, brought up to date by what the event stream has told since. */
export function merged(listed: readonly DownloadInfo[], told: readonly JobView[]): readonly DownloadInfo[] {
  const news = new Map(told.map((job) => [job.job_id, job]))
  const kept = listed.filter((info) => news.get(info.id)?.state !== 'removed')
  return kept.map((info) => {
    const job = news.get(info.id)
    if (!job) return info
    return {
      ...info,
      state: job.state as DownloadInfo['state'],
      message: job.message ?? null,
      bytes_done: job.bytes_done ?? info.bytes_done ?? 0,
      bytes_total: job.bytes_total ?? info.bytes_total ?? null,
      bytes_per_second: job.bytes_per_second ?? null,
      eta_seconds: job.eta_seconds ?? null,
      error: job.error ?? null,
      hint: job.hint ?? null,
      path: job.path ?? info.path ?? null,
    }
  })
}

/** How far it is, in one line. */
export function progressWords(info: DownloadInfo): string {
  const { bytes_done: done = 0, bytes_total: total, bytes_per_second: speed, eta_seconds: left } = info
  const amount = total == null ? null : `${bytes(done)} of ${bytes(total)}`
  switch (info.state) {
    case 'waiting':
      return 'Waiting for another download'
    case 'preparing':
      return 'Looking up files…'
    case 'downloading':
      return [amount, speed == null ? null : `${bytes(Math.round(speed))}/s`, left == null ? null : `${duration(left)} left`]
        .filter((part) => part !== null)
        .join(' · ')
    case 'retrying':
      return info.message ?? 'Trying again…'
    case 'converting':
      return 'Writing the rows…'
    case 'completed':
      return `Downloaded${total == null ? '' : ` · ${bytes(total)}`}`
    case 'cancelled':
    case 'interrupted':
      return [amount, info.message].filter(Boolean).join(' · ')
    case 'error':
      return amount ?? ''
    case 'damaged':
      return info.problem ?? ''
    case 'removed':
      return 'Discarded'
  }
}
