/** The history as files: JSON for programs, Markdown for people. */
import type { Comparison, SavedAnswer } from '@/api/generated'
import { bridge } from '@/lib/bridge'
import { saveFile } from '@/lib/download'
import { checkpointWords, type Checkpoint } from '@/features/compare/targets/targets'
import { timingWords } from '@/features/compare/words'

/** In the desktop window the user is asked where; a browser puts it with its downloads. */
export async function saveText(name: string, text: string, type: string): Promise<void> {
  const desktop = bridge()
  if (desktop) await desktop.saveFile(name, text)
  else saveFile(name, text, type)
}

export function historyJson(comparisons: readonly Comparison[]): string {
  return `${JSON.stringify({ comparisons }, null, 2)}\n`
}

export function historyMarkdown(comparisons: readonly Comparison[]): string {
  const parts = comparisons.map((each) => {
    const head = [`## ${each.at}`, `**Prompt**\n\n${fenced(each.prompt)}`]
    if (each.system) head.push(`**System prompt**\n\n${fenced(each.system)}`)
    const settings = Object.entries(each.sampling ?? {}).filter(([, value]) => value !== null)
    if (settings.length > 0) head.push(settings.map(([name, value]) => `${name}: ${String(value)}`).join(' · '))
    return [...head, ...each.answers.map(answerMarkdown)].join('\n\n')
  })
  return `${['# Comparisons', ...parts].join('\n\n')}\n`
}

export function answerTitle(answer: SavedAnswer): string {
  if (answer.adapter_name == null) return answer.model_name
  const checkpoint = answer.checkpoint == null ? '' : ` (${checkpointWords(answer.checkpoint as Checkpoint)})`
  return `${answer.adapter_name}${checkpoint}`
}

function answerMarkdown(answer: SavedAnswer): string {
  const stars = answer.rating == null ? [] : [`${'★'.repeat(answer.rating)}${'☆'.repeat(5 - answer.rating)}`]
  const facts = [...stars, ...timingWords(answer.stats ?? {}, answer.adapter_name != null)]
  const notes = (answer.warnings ?? []).map((warning) => `> ${warning}`)
  return [`### ${answerTitle(answer)}`, fenced(answer.text), ...(facts.length > 0 ? [facts.join(' · ')] : []), ...notes].join('\n\n')
}

/** A fence longer than any in the text, so that no answer can break out of it. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((found) => found[0].length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}\n${text}\n${fence}`
}
