/** Prompts as text that people edit, and back. */

/** Between prompts of several lines. */
const RULE = '---'

/** One prompt per line; with a line of three dashes anywhere, those lines stand between the prompts. */
export function promptsOf(text: string): readonly string[] {
  const lines = text.replace(/\r\n?/g, '\n').split('\n')
  if (!lines.some((line) => line.trim() === RULE)) return lines.map((line) => line.trim()).filter(Boolean)
  const prompts: string[] = []
  let current: string[] = []
  for (const line of [...lines, RULE]) {
    if (line.trim() !== RULE) current.push(line)
    else {
      prompts.push(current.join('\n').trim())
      current = []
    }
  }
  return prompts.filter(Boolean)
}

export function textOf(prompts: readonly string[]): string {
  const lined = prompts.some((prompt) => prompt.includes('\n'))
  if (!lined) return prompts.join('\n')
  // With one alone, the rule after it says that its lines belong together.
  return prompts.length === 1 ? `${prompts[0]}\n${RULE}` : prompts.join(`\n${RULE}\n`)
}

const MOST = 500
const LONGEST = 100_000
const LONGEST_NAME = 100

export function setProblem(name: string, prompts: readonly string[]): { readonly name?: string; readonly prompts?: string } {
  const trimmed = name.trim()
  return {
    ...(trimmed === '' ? { name: 'Enter a name.' } : {}),
    ...(trimmed.length > LONGEST_NAME ? { name: `At most ${LONGEST_NAME} characters.` } : {}),
    ...(prompts.length === 0 ? { prompts: 'Enter at least one prompt.' } : {}),
    ...(prompts.length > MOST ? { prompts: `A set may have at most ${MOST} prompts; this has ${prompts.length}.` } : {}),
    ...(prompts.some((prompt) => prompt.length > LONGEST) ? { prompts: 'One of them is over 100,000 characters.' } : {}),
  }
}
