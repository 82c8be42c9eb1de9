/** What a method does with the rows: check each line for it, make rows to try, or convert from another form. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useLazyValidateDataQuery, type MethodInfo } from '@/api/generated'
import { ConvertDialog } from '@/start/data/convert/ConvertDialog'
import type { Inspection } from '@/start/data/examination/useInspection'
import { Button } from '@/ui/controls/Button'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import type { Form } from './dataForms'
import { DataReport } from './DataReport'
import { SampleDialog } from './SampleDialog'

type Props = {
  readonly id: string
  readonly method: MethodInfo
  readonly path: string
  readonly train: Inspection
  readonly onUse: (path: string) => void
}

/** The format of a conversion whose rows such a method can use. */
const CONVERTED: Readonly<Record<MethodInfo['data_format'], Form>> = {
  sft: 'chat',
  prompt_answer: 'grpo',
  preference: 'preference',
  prompt: 'grpo',
  next_token: 'preference', // Not asked: nothing can be converted to such rows.
}
const ROLLOUT_SYSTEM = 'Added to rows that have none. Without one, the engine adds its own, which asks for <think> and <answer>.'

export function MethodRows({ id, method, path, train, onUse }: Props) {
  const [asks, setAsks] = useState<'sample' | 'convert' | null>(null)
  const [validate, { currentData, originalArgs, error, isFetching }] = useLazyValidateDataQuery()
  const asked = originalArgs?.validateDataRequest
  // An answer about another file or method says nothing about this one.
  const about = asked?.method === id && asked.data_path === path
  const problem = about && !isFetching ? readProblem(error) : null
  const report = about && !isFetching && !problem ? currentData : undefined
  return (
    <>
      <div className="flex flex-wrap gap-2">
        <Button
          size="small"
          disabled={path === ''}
          busy={isFetching && 'Validating…'}
          onClick={() => void validate({ validateDataRequest: { method: id, data_path: path } })}
        >
          Validate every line
        </Button>
        <Button size="small" onClick={() => setAsks('sample')}>
          Generate sample…
        </Button>
        <Button size="small" disabled={path === ''} onClick={() => setAsks('convert')}>
          {train.found?.format === 'unknown' ? 'Map columns…' : 'Convert…'}
        </Button>
      </div>
      {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      {report ? <DataReport report={report} onConvert={() => setAsks('convert')} /> : null}
      <SampleDialog open={asks === 'sample'} method={id} name={method.display_name} onWritten={onUse} onClose={() => setAsks(null)} />
      {asks === 'convert' ? (
        <ConvertDialog
          path={path}
          columns={train.found?.columns ?? []}
          sample={train.found?.sample ?? []}
          format={train.found?.format ?? null}
          target={CONVERTED[method.data_format]}
          {...(method.data_format.startsWith('prompt') ? { systemHelp: ROLLOUT_SYSTEM } : {})}
          use="Use the new file"
          onUse={(next) => {
            onUse(next)
            setAsks(null)
          }}
          onClose={() => setAsks(null)}
        />
      ) : null}
    </>
  )
}
