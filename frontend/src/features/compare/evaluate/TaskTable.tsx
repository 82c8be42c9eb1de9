/** What lm-eval measured, per task: base, adapter and how far apart they are. */
import type { EvaluationResult, TaskResult } from '@/api/generated'
import { UNKNOWN } from '@/lib/format'
import { Cell, HeadCell, Row, Table } from '@/ui/Table'

export function TaskTable({ result }: { readonly result: EvaluationResult }) {
  const tasks = result.tasks ?? []
  if (tasks.length === 0) return null
  const paired = result.targets.length === 2
  return (
    <section aria-label="Tasks of lm-eval" className="flex flex-col gap-1">
      <p className="font-semibold">Tasks of lm-eval</p>
      <Table caption="Tasks of lm-eval">
        <thead>
          <Row>
            <HeadCell className="pl-0">Task</HeadCell>
            {result.targets.map((target) => (
              <HeadCell key={target.label} className="text-right">
                {target.label}
              </HeadCell>
            ))}
            {paired ? <HeadCell className="text-right">Difference</HeadCell> : null}
          </Row>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <Row key={`${task.task} ${task.metric} ${task.filter}`}>
              <th scope="row" className="py-2 pr-3 text-left font-medium">
                {task.task}
                <span className="block text-small font-normal text-faint">{taskWords(task)}</span>
              </th>
              {task.values.map((value, at) => (
                <Cell key={result.targets[at]?.label ?? at} className="text-right tabular-nums">
                  {measured(value, task.stderrs[at])}
                </Cell>
              ))}
              {paired ? <Cell className="text-right tabular-nums">{difference(task)}</Cell> : null}
            </Row>
          ))}
        </tbody>
      </Table>
    </section>
  )
}

function taskWords({ metric, filter, better, rows }: TaskResult): string {
  const words = [metric, filter === 'none' ? null : filter, better === 'neither' ? null : `${better} is better`, rows === null ? null : `${rows} rows`]
  return words.filter(Boolean).join(' · ')
}

export function measured(value: number | null | undefined, stderr: number | null | undefined): string {
  if (value == null) return UNKNOWN
  return stderr == null ? value.toFixed(3) : `${value.toFixed(3)} ± ${stderr.toFixed(3)}`
}

export function difference({ values }: TaskResult): string {
  const [base, adapter] = values
  if (base == null || adapter == null) return UNKNOWN
  return `${adapter < base ? '−' : '+'}${Math.abs(adapter - base).toFixed(3)}`
}
