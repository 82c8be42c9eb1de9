/** Evaluate base vs adapter on rows that the run has not seen, and read what came of it. */
import { skipToken } from '@reduxjs/toolkit/query'
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useReadEvaluationQuery } from '@/api/generated'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { DamagedItems } from '@/ui/DamagedItems'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { ProgressBar } from '@/ui/feedback/ProgressBar'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { FORM, type EvaluationFields } from './evaluationFields'
import { EvaluationForm } from './EvaluationForm'
import { PastEvaluations } from './PastEvaluations'
import { EvaluationReport } from './EvaluationReport'
import { useEvaluation, type Evaluation } from './useEvaluation'
import type { Targets } from '@/features/compare/targets/useTargets'

export function EvaluateView({ all }: { readonly all: Targets }) {
  const evaluation = useEvaluation()
  const [picked, setPicked] = useState<string | null>(null)
  // Kept here, because the form leaves while an evaluation runs.
  const [fields, setFields] = useState<EvaluationFields>(FORM)
  const newest = evaluation.past.find((each) => each.state === 'completed')?.evaluation_id ?? null
  const shown = picked ?? newest
  return (
    <div className="flex flex-col gap-3">
      {evaluation.running ? (
        <Running evaluation={evaluation} />
      ) : (
        <EvaluationForm
          all={all}
          evaluation={evaluation}
          fields={fields}
          onFields={setFields}
          onStart={(body) => {
            setPicked(null)
            void evaluation.start(body)
          }}
        />
      )}
      {evaluation.failure && !evaluation.starting ? (
        <ErrorPanel message={`The last evaluation has no result: ${evaluation.failure.detail}`} hint={evaluation.failure.hint} />
      ) : null}
      {shown === null ? <NothingYet running={evaluation.running} /> : <Shown id={shown} />}
      <DamagedItems items={evaluation.damaged} title="An evaluation can’t be read" />
      <PastEvaluations past={evaluation.past} shown={shown} onShow={setPicked} />
    </div>
  )
}

function Shown({ id }: { readonly id: string }) {
  const { currentData, error } = useReadEvaluationQuery(id === '' ? skipToken : { evaluationId: id })
  const problem = readProblem(error)
  if (problem) return <ErrorPanel message={problem.detail} hint={problem.hint} />
  return currentData ? <EvaluationReport result={currentData} /> : <Skeleton className="h-80 rounded-card" />
}

const PHASES: Readonly<Record<string, string>> = {
  starting: 'Starting',
  loading: 'Loading the model',
  scoring: 'Measuring the loss on the expected answers',
  answering: 'Answering the questions',
  judging: 'Judging the answers',
  done: 'Writing the report',
}

function Running({ evaluation }: { readonly evaluation: Evaluation }) {
  const { phase, share, adapter, questions, stop, stopping } = evaluation
  const words = PHASES[phase ?? ''] ?? 'Preparing'
  const percent = share === null ? null : `${Math.round(share * 100)} %`
  return (
    <Card
      title={`Evaluating ${adapter ?? 'the adapter'} against its base`}
      subtitle={questions === null ? undefined : `${questions} rows, answered by both`}
      actions={
        <Button size="small" busy={stopping && 'Cancelling…'} onClick={stop}>
          Cancel
        </Button>
      }
    >
      <p role="status" className="mb-2">
        <span className="font-medium">{words}…</span> <span className="tabular-nums">{percent}</span>
      </p>
      <ProgressBar label="Progress of the evaluation" value={share} text={percent ?? words} />
    </Card>
  )
}

function NothingYet({ running }: { readonly running: boolean }) {
  return (
    <Card>
      <p className="mx-auto max-w-lg py-8 text-center text-soft">
        {running
          ? 'Results appear here.'
          : 'Base and adapter answer the same held-out rows. For each metric you see the difference, and whether it is significant.'}
      </p>
    </Card>
  )
}
