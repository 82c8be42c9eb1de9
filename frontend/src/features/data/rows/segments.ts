/** Tokens in runs of one kind, so that a reader hears each change once and not every token. */
import type { PreviewToken } from '@/api/generated'

export type Kind = 'learned' | 'read' | 'cut'

export type Segment = {
  readonly kind: Kind
  /** The place of its first token in the row. */
  readonly at: number
  readonly tokens: readonly PreviewToken[]
}

export const KIND_WORDS: Record<Kind, string> = { learned: 'Learned', read: 'Read only', cut: 'Cut off' }

export function kindOf(token: PreviewToken): Kind {
  if (token.cut) return 'cut'
  return token.trained ? 'learned' : 'read'
}

export function segmentsOf(tokens: readonly PreviewToken[]): readonly Segment[] {
  const segments: { kind: Kind; at: number; tokens: PreviewToken[] }[] = []
  tokens.forEach((token, at) => {
    const last = segments[segments.length - 1]
    const kind = kindOf(token)
    if (last && last.kind === kind) last.tokens.push(token)
    else segments.push({ kind, at, tokens: [token] })
  })
  return segments
}

/** What a token shows: line ends and tabs are signs of their own, a part of a character is a dot. */
export function shownText(text: string): string {
  if (text === '') return '·'
  return text.replace(/\r/g, '␍').replace(/\n/g, '↵\n').replace(/\t/g, '⇥\t')
}
