/** What is known of the server's answer to "what would this start do?". */
import type { Problem } from '@/api/errors'
import type { Preview } from '@/api/generated'

export type PreviewState = {
  /** The last answer; `fresh` says whether it is the answer to what the form holds now. */
  readonly preview: Preview | null
  readonly fresh: boolean
  readonly waiting: boolean
  readonly problem: Problem | null
  /** How much of a long file is rendered, from 0 to 1, as its job tells; null when nothing is. */
  readonly rendered: number | null
  readonly retry: () => void
}
