/** What lm-eval measured, per task: base, adapter and how far apart they are. */
import type { EvaluationResult, TaskResult } from '@/api/generated'
import { UNKNOWN } from '@/lib/format'

export function TaskTable({ result }: { readonly result: EvaluationResult }) {
  const tasks = result.tasks ?? []
  if (tasks.length === 0) return null
  return (
    <div className="overflow-x-auto">
      <table className="w-full text-small">
        <caption className="mb-1 text-left font-medium">Tasks of lm-eval</caption>
        <thead>
          <tr className="text-left text-soft">
            <th scope="col" className="py-1.5 pr-4 font-normal">Task</th>
            {result.targets.map((target) => (
              <th key={target.label} scope="col" className="py-1.5 pr-4 text-right font-normal">{target.label}</th>
            ))}
            {result.targets.length === 2 ? <th scope="col" className="py-1.5 text-right font-normal">Difference</th> : null}
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <tr key={`${task.task} ${task.metric} ${task.filter}`} className="border-t border-line">
              <th scope="row" className="py-1.5 pr-4 text-left font-medium">
                {task.task}
                <span className="block font-normal text-faint">{taskWords(task)}</span>
              </th>
              {task.values.map((value, at) => (
                <td key={result.targets[at]?.label ?? at} className="py-1.5 pr-4 text-right tabular-nums">{measured(value, task.stderrs[at])}</td>
              ))}
              {result.targets.length === 2 ? <td className="py-1.5 text-right tabular-nums">{difference(task)}</td> : null}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
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
