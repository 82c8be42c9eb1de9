/** Markdown as far as this project's own documents use it → blocks. */

export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly (readonly Block[])[] }
  | { readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }

const HEADING = /^#{1,6} +/
const FENCE = /^```/
const ITEM = /^(?:[-*]|\d+\.) +/
const ROW = /^\|.*\|$/

export function parseMarkdown(text: string): readonly Block[] {
  return parseLines(text.split(/\r?\n/))
}

function parseLines(lines: readonly string[]): readonly Block[] {
  const blocks: Block[] = []
  let at = 0
  /** The lines from here on that belong together; they are passed. */
  const take = (belongs: (line: string) => boolean) => {
    const start = at
    while (at < lines.length && belongs(lines[at] ?? '')) at++
    return lines.slice(start, at)
  }
  while (at < lines.length) {
    const line = lines[at] ?? ''
    if (line.trim() === '') at++
    else if (HEADING.test(line)) {
      blocks.push({ kind: 'heading', text: line.replace(HEADING, '') })
      at++
    } else if (FENCE.test(line)) {
      at++
      blocks.push({ kind: 'code', text: take((each) => !FENCE.test(each)).join('\n') })
      at++
    } else if (ROW.test(line)) blocks.push(table(take((each) => ROW.test(each))))
    else if (ITEM.test(line)) blocks.push(list(take((each) => each.trim() === '' || ITEM.test(each) || each.startsWith(' ')), line))
    else blocks.push({ kind: 'paragraph', text: take((each) => each.trim() !== '' && !begins(each)).join(' ') })
  }
  return blocks
}

function begins(line: string): boolean {
  return [HEADING, FENCE, ITEM, ROW].some((pattern) => pattern.test(line))
}

function list(lines: readonly string[], first: string): Block {
  const items: string[][] = []
  let width = 0
  for (const line of lines) {
    const marker = ITEM.exec(line)?.[0]
    if (marker !== undefined) {
      width = marker.length
      items.push([line.slice(width)])
    } else items.at(-1)?.push(line.slice(Math.min(width, line.length - line.trimStart().length)))
  }
  return { kind: 'list', ordered: /^\d/.test(first), items: items.map(parseLines) }
}

function table(lines: readonly string[]): Block {
  const [head = [], , ...rows] = lines.map((line) => line.slice(1, -1).split('|').map((cell) => cell.trim()))
  return { kind: 'table', head, rows }
}

export type Span = { readonly kind: 'text' | 'code' | 'strong' | 'emphasis'; readonly text: string }

const SPAN = /(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*)/

/** Links are shown as their words: a document's paths lead nowhere in the page. */
export function parseSpans(text: string): readonly Span[] {
  const parts = text.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1').split(SPAN)
  return parts.filter((part) => part !== '').map(span)
}

function span(part: string): Span {
  if (!SPAN.test(part)) return { kind: 'text', text: part }
  if (part.startsWith('`')) return { kind: 'code', text: part.slice(1, -1) }
  if (part.startsWith('**')) return { kind: 'strong', text: part.slice(2, -2) }
  return { kind: 'emphasis', text: part.slice(1, -1) }
}
