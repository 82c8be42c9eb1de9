/** A finished evaluation: the headline, scores with intervals, the judge, every question, the files. */
import { Download } from 'lucide-react'
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { api, useLazyEvaluationReportQuery, type EvaluationResult } from '@/api/generated'
import { baseName, duration, moment, plural } from '@/lib/format'
import { safeFileName } from '@/lib/download'
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { Notice } from '@/ui/feedback/Notice'
import { saveText } from '@/features/compare/history/exporting'
import { JudgeScores } from './JudgeScores'
import { QuestionList } from './QuestionList'
import { ScoreTable } from './ScoreTable'
import { TaskTable } from './TaskTable'
import { summaryOf } from './verdict'

// The report is Markdown; a refusal of it is JSON like any other.
api.enhanceEndpoints({
  endpoints: {
    evaluationReport: {
      query: ({ evaluationId }) => ({
        url: `/api/evaluation/${encodeURIComponent(evaluationId)}/report`,
        responseHandler: 'content-type',
      }),
    },
  },
})

export function EvaluationReport({ result }: { readonly result: EvaluationResult }) {
  const paired = result.targets.length > 1
  const [title, base] = [result.adapter_name, baseName(result.base_model)]
  return (
    <>
      <Card
        title={
          <span className="flex flex-wrap items-center gap-2">
            {paired ? `${title} vs ${base}` : title}
            <Badge tone="good">{plural(result.num_questions, result.prompt_set ? 'prompt' : 'row')}</Badge>
            {result.seen_rows ? <Badge tone="warn">{result.seen_rows} seen in training</Badge> : null}
            {result.seen_rows === null && !result.prompt_set ? <Badge>seen rows unknown</Badge> : null}
          </span>
        }
        subtitle={[
          paired ? summaryOf(result) : null,
          `${moment(result.evaluation_date)}, took ${duration(result.seconds)}.`,
          result.prompt_set ? `Prompts of “${result.prompt_set}”.` : `Rows of ${baseName(result.training_data_path)}.`,
        ]
          .filter(Boolean)
          .join(' ')}
        actions={<ReportButtons result={result} />}
        bodyClassName="flex flex-col gap-3"
      >
        {result.warnings.map((warning) => (
          // Facts of the rows and of the adapter; rows that were trained on have a badge of their own.
          <Notice key={warning}>{warning}</Notice>
        ))}
        <ScoreTable result={result} />
        {paired ? (
          <p className="text-small text-faint">
            The bar is the 95 % interval of the paired difference; its middle line is no difference. Better and worse mean that the whole bar lies on one side.
          </p>
        ) : null}
        <TaskTable result={result} />
        <JudgeScores result={result} />
        {result.report_files ? (
          <p className="text-tiny break-all text-faint">
            On disk: {result.report_files.json} · {result.report_files.markdown}
          </p>
        ) : null}
      </Card>
      <QuestionList key={result.evaluation_id} result={result} />
    </>
  )
}

function ReportButtons({ result }: { readonly result: EvaluationResult }) {
  const [read, { isFetching, error }] = useLazyEvaluationReportQuery()
  const [refused, setRefused] = useState<string | null>(null)
  const name = safeFileName(`evaluation-${result.adapter_name}-${result.evaluation_id}`)
  const markdown = async () => {
    const { data, error: failed } = await read({ evaluationId: result.evaluation_id })
    setRefused(readProblem(failed)?.detail ?? null)
    if (typeof data === 'string') await saveText(`${name}.md`, data, 'text/markdown')
  }
  return (
    <>
      {error && refused ? <span className="text-small text-bad">{refused}</span> : null}
      <Button size="small" kind="ghost" busy={isFetching && 'Reading…'} onClick={() => void markdown()}>
        <Download className="size-3.5" aria-hidden="true" />
        Report (Markdown)
      </Button>
      <Button
        size="small"
        kind="ghost"
        onClick={() => void saveText(`${name}.json`, `${JSON.stringify(result, null, 2)}\n`, 'application/json')}
      >
        <Download className="size-3.5" aria-hidden="true" />
        Report (JSON)
      </Button>
    </>
  )
}
