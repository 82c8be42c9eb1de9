/** A conversation as a file: Markdown for people, JSON Lines for training, a line per target. */
import { fenced } from '@/features/compare/history/exporting'
import { targetLabel } from '@/features/compare/targets/targets'
import { timingWords } from '@/features/compare/words'
import { answerOf, messagesOf, type Conversation } from './chat'

export function chatMarkdown({ system, targets, turns }: Conversation): string {
  const parts = ['# Conversation', targets.map(targetLabel).join(' · ')]
  if (system) parts.push(`**System prompt**\n\n${fenced(system)}`)
  turns.forEach((turn, at) => {
    parts.push(`## ${at + 1}`, `**Prompt**\n\n${fenced(turn.prompt)}`)
    turn.answers.forEach((answer, place) => {
      const target = targets[place]
      const facts = timingWords(answer.stats ?? {}, answer.adapter_name != null)
      parts.push(`### ${target ? targetLabel(target) : answer.model_name}`)
      if (answer.thoughts) parts.push(`**Thoughts**\n\n${fenced(answer.thoughts)}`)
      parts.push(fenced(answerOf(answer)))
      if (facts.length > 0) parts.push(facts.join(' · '))
    })
  })
  return `${parts.join('\n\n')}\n`
}

/** Rows in the chat format: `{"messages": [...]}`, what each target was told and said. */
export function chatJsonl({ system, targets, turns }: Conversation): string {
  const lines = targets.flatMap((_, place) => {
    const messages = messagesOf(turns, place, '').slice(0, -1)
    if (messages.length === 0) return []
    return [JSON.stringify({ messages: system ? [{ role: 'system', content: system }, ...messages] : messages })]
  })
  return lines.map((line) => `${line}\n`).join('')
}
