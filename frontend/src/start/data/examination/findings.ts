/** What is worth knowing of a file, the worst first, in sentences that say what to do. */
import type { DatasetInspection, LineProblem } from '@/api/generated'
import { baseName, count, percent, plural } from '@/lib/format'

export type Finding = {
  readonly id: string
  readonly tone: 'bad' | 'warn' | 'good' | 'info'
  readonly title: string
  readonly text: string
  /** Lines to look at. */
  readonly lines: readonly number[]
  readonly problems?: readonly LineProblem[]
}

export function findingsOf(found: DatasetInspection): readonly Finding[] {
  const all = [problems(found), refused(found), unlearnable(found), ...omitted(found), empty(found), leakage(found), duplicates(found), ...spellings(found), ...rowFacts(found)]
  const known = all.filter((each) => each !== null)
  const order = { bad: 0, warn: 1, info: 2, good: 3 }
  return known.sort((one, other) => order[one.tone] - order[other.tone])
}

function problems(found: DatasetInspection): Finding {
  if (found.format === 'unknown') {
    return {
      id: 'problems',
      tone: 'bad',
      title: 'Unknown columns',
      text: `They are ${found.columns.join(', ')}. Convert the file and map the columns of question and answer.`,
      lines: [],
    }
  }
  if (found.problem_count === 0 && found.complete === false) {
    return info('problems', `The first ${plural(found.rows, 'row')} can be used`, 'The file was not read to its end.')
  }
  if (found.problem_count === 0) {
    return fine('problems', 'All rows are usable', `${plural(found.rows, 'row')} read, no problems.`)
  }
  return {
    id: 'problems',
    tone: 'bad',
    title: `${plural(found.problem_count, 'line')} can’t be used`,
    text: 'Fix them in the file, or convert it: unusable rows are then left out and listed.',
    lines: [],
    problems: found.problems,
  }
}

function refused(found: DatasetInspection): Finding | null {
  const rows = found.lengths?.refused_rows ?? 0
  const first = found.lengths?.first_refused
  if (rows === 0 || !found.lengths) return null
  return {
    id: 'refused',
    tone: 'bad',
    title: `The chat template of ${found.lengths.model} can’t take ${plural(rows, 'row')}`,
    text: `${first?.message ?? 'Some models want the speakers to take turns, or know no system message.'} A run refuses them, or leaves them out (Rows the template can’t take).`,
    lines: first ? [first.line] : [],
    problems: found.lengths.refused ?? [],
  }
}

function unlearnable({ lengths }: DatasetInspection): Finding | null {
  const rows = lengths?.unlearnable_rows ?? 0
  if (rows === 0 || !lengths) return null
  return {
    id: 'unlearnable',
    tone: 'warn',
    title: `${plural(rows, 'row')} can’t be trained on answers only`,
    text: 'A run on answers only refuses them, or leaves them out (Rows the template can’t take).',
    lines: (lengths.unlearnable ?? []).map((each) => each.line),
    problems: lengths.unlearnable ?? [],
  }
}

function omitted({ lengths }: DatasetInspection): readonly Finding[] {
  return (lengths?.omitted ?? []).map(({ part, rows, lines, message }) => ({
    id: `omitted-${part}`,
    tone: 'warn',
    title: `${plural(rows, 'row')}: not all of it is trained as it is written`,
    text: message,
    lines,
  }))
}

function empty(found: DatasetInspection): Finding | null {
  const { lengths } = found
  const rows = lengths?.without_target ?? 0
  if (rows === 0 || !lengths) return null
  return {
    id: 'empty',
    tone: 'warn',
    title: `${plural(rows, 'row')} without anything to learn`,
    text: `With training on answers only, the prompt alone fills ${count(lengths.max_seq_length)} tokens. Such rows are left out of a run; raise the limit or shorten them.`,
    lines: lengths.without_target_lines ?? [],
  }
}

/** How rows of another spelling are read. */
function spellings(found: DatasetInspection): readonly Finding[] {
  return (found.notes ?? []).map((note, index) => info(`spelling-${index}`, 'Alternative field names', note))
}

function leakage({ leakage: leak }: DatasetInspection): Finding | null {
  if (!leak) return null
  const name = baseName(leak.path)
  if (leak.shared_rows === 0) {
    return fine('leakage', 'No validation rows in the training data', `Compared with the ${plural(leak.valid_rows, 'row')} of ${name}.`)
  }
  return {
    id: 'leakage',
    tone: 'warn',
    title: `${plural(leak.shared_rows, 'validation row')} ${leak.shared_rows === 1 ? 'is' : 'are'} in the training file too`,
    text: `Of ${count(leak.valid_rows)} in ${name}. Their loss measures memorisation. Split keeps identical rows together.`,
    lines: leak.examples.map((each) => each.line),
  }
}

function duplicates({ duplicates: twice, good_rows: rows = 0 }: DatasetInspection): Finding | null {
  if (!twice || rows === 0) return null
  if (twice.rows === 0) return fine('duplicates', 'No duplicates', 'Compared by trained content.')
  const groups = twice.groups.slice(0, 3).map(({ lines, count: size }) => {
    const named = lines.slice(0, 3).map(count).join(', ')
    return `lines ${named}${size > 3 ? ` and ${count(size - 3)} more` : ''}`
  })
  return {
    id: 'duplicates',
    tone: 'warn',
    title: `${plural(twice.rows, 'row repeats', 'rows repeat')} an earlier one`,
    text: `${percent((100 * twice.rows) / Math.max(rows, 1))} of the file: ${groups.join('; ')}. They weigh more in training.`,
    lines: twice.groups.flatMap((group) => group.lines.slice(0, 1)),
  }
}

function rowFacts(found: DatasetInspection): readonly (Finding | null)[] {
  const { multi_turn_rows: several = 0, unanswered_rows: open = 0, tail_rows: tail } = found
  return [
    tail
      ? info('tail', `${plural(tail, 'row')} in the last batch`, 'They are trained too, in a smaller batch.')
      : null,
    open > 0
      ? info('open', `${plural(open, 'conversation')} ${open === 1 ? 'does' : 'do'} not end with an answer`, 'Training on answers only refuses the file as long as they are in it.')
      : null,
    several > 0
      ? info('several', `${plural(several, 'conversation')} ${several === 1 ? 'has' : 'have'} several answers`, 'With training on answers only, every answer is learned.')
      : null,
    found.labelled_text
      ? info('labelled', 'Rows spell out “User:” and “Assistant:”', 'They are trained without the chat template. Convert them to chat if you will chat with the model.')
      : null,
    found.lengths_problem ? { ...info('lengths', 'The rows could not be measured', found.lengths_problem), tone: 'warn' } : null,
  ]
}

type Run = { readonly masked: boolean; readonly validated: boolean }

/** What a run with this file should be told; its problems stand by their lines already. */
export function runFindings(found: DatasetInspection, { masked, validated }: Run): readonly Finding[] {
  const idle = new Set(['problems', ...(masked ? [] : ['empty']), ...(validated ? [] : ['leakage'])])
  return findingsOf(found).filter(({ id, tone }) => !idle.has(id) && (tone === 'bad' || tone === 'warn' || id === 'tail'))
}

function fine(id: string, title: string, text: string): Finding {
  return { id, tone: 'good', title, text, lines: [] }
}

function info(id: string, title: string, text: string): Finding {
  return { id, tone: 'info', title, text, lines: [] }
}
