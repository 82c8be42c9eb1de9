/** What the judge said, how often it failed, and whether it favours the answer that stands first. */
import type { EvaluationResult, JudgeScores as Scores, JudgeSwaps } from '@/api/generated'
import { count, plural } from '@/lib/format'
import { Notice } from '@/ui/feedback/Notice'
import { Cell, HeadCell, Row, Table } from '@/ui/Table'
import { number } from './verdict'

const NAMES: readonly (readonly [keyof Scores, string])[] = [
  ['overall', 'Overall'],
  ['faithfulness', 'Faithfulness'],
  ['fact_recall', 'Fact recall'],
  ['consistency', 'Consistency'],
  ['hallucination', 'No hallucination'],
]

export function JudgeScores({ result }: { readonly result: EvaluationResult }) {
  const { judge, scores, base_model_scores: base } = result
  if (!judge) return <p className="text-small text-faint">No judge was used; the scores above are computed metrics.</p>
  return (
    <section aria-label="Judge" className="flex flex-col gap-3 border-t border-line pt-3">
      <p>
        <span className="font-semibold">Judge</span> <span className="text-soft">{judge.model}, from 0 to 100, higher is better</span>
      </p>
      {judge.failed > 0 ? (
        <Notice tone="warn" title={`${count(judge.failed)} of ${plural(judge.asked, 'call')} failed. They are not counted as scores.`}>
          {judge.problems.join(' ')}
        </Notice>
      ) : null}
      <Table caption="Scores of the judge">
        <thead>
          <Row>
            <HeadCell className="pl-0">Score</HeadCell>
            {base ? <HeadCell className="text-right">base</HeadCell> : null}
            <HeadCell className="text-right">{result.adapter_name}</HeadCell>
          </Row>
        </thead>
        <tbody>
          {NAMES.map(([key, name]) => (
            <Row key={key}>
              <th scope="row" className="py-2 pr-3 text-left font-medium">
                {name}
              </th>
              {base ? <Cell className="text-right text-soft">{number(base[key])}</Cell> : null}
              <Cell className="text-right font-semibold">{number(scores[key])}</Cell>
            </Row>
          ))}
        </tbody>
      </Table>
      {judge.swaps ? <p className="text-small text-soft">{swapWords(judge.swaps)}</p> : null}
    </section>
  )
}

function swapWords({ asked, consistent, adapter_wins, base_wins, ties, first_wins }: JudgeSwaps): string {
  const pairs = `Asked in both orders, the judge was consistent on ${count(consistent)} of ${plural(asked, 'pair')}`
  const wins = `adapter ${count(adapter_wins)}, base ${count(base_wins)}, ties ${count(ties)}`
  return `${pairs}: ${wins}. It chose the first one ${count(first_wins)} of ${count(asked * 2)} times.`
}
