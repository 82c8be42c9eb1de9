/** The rows to learn from: checked line by line for the method, made to try, or converted from another form. */
import { useCallback, useState } from 'react'
import { readProblem } from '@/api/errors'
import { useLazyValidateDataQuery, type MethodInfo } from '@/api/generated'
import { useDataFile } from './useDataFile'
import { DataFindings } from '@/start/data/examination/DataFindings'
import { DataField } from './DataField'
import { HubDataButton } from './hub/HubDataButton'
import { FieldControl } from '@/start/fields/FieldControl'
import type { FieldErrors } from '@/start/fields/form'
import { number } from '@/start/review/review'
import { useInspection } from '@/start/data/examination/useInspection'
import { useLongestRow } from './useLongestRow'
import type { StartForm } from '@/start/fields/useStartForm'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { ConvertDialog } from '@/start/data/convert/ConvertDialog'
import type { Form } from './dataForms'
import { DemoData } from './DemoData'
import { DataReport } from './DataReport'
import { SampleDialog } from './SampleDialog'

type Props = {
  readonly form: StartForm
  readonly id: string
  readonly method: MethodInfo
  readonly errors: FieldErrors
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

const UNMEASURED = { model: null, length: null }

export function MethodDataCard({ form, id, method, errors }: Props) {
  const { set, values, level } = form
  const path = String(values.train_data_path)
  const validPath = String(values.val_data_path)
  const valid = useInspection(validPath, UNMEASURED)
  const train = useInspection(path, {
    model: form.model,
    length: number(form, 'max_seq_length'),
    valid: { path: validPath, inspection: valid },
  })
  // Rows that answers are sampled for say nothing of the length of the answers.
  useLongestRow(form, train, method.data_format === 'sft')
  const setTrain = useCallback((next: string) => set('train_data_path', next), [set])
  const trainFile = useDataFile(setTrain)
  const validFile = useDataFile(useCallback((next: string) => set('val_data_path', next), [set]))
  const [asks, setAsks] = useState<'sample' | 'convert' | null>(null)
  const [validate, { currentData, originalArgs, error, isFetching }] = useLazyValidateDataQuery()
  const asked = originalArgs?.validateDataRequest
  // An answer about another file or method says nothing about this one.
  const about = asked?.method === id && asked.data_path === path
  const problem = about && !isFetching ? readProblem(error) : null
  const report = about && !isFetching && !problem ? currentData : undefined
  return (
    <Card
      title="Data"
      subtitle={
        <>
          Each line <code className="font-mono text-tiny break-all">{method.data_example}</code>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <DataField name="train_data_path" form={form} errors={errors} inspection={train} file={trainFile} />
        <HubDataButton page="/enhanced-setup" />
        <DemoData form={form} method={method} format={train.found?.format ?? null} />
        <DataFindings form={form} inspection={train} />
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
        <DataField name="val_data_path" form={form} errors={errors} inspection={valid} file={validFile} />
        {level === 'advanced' ? (
          <div className="@container">
            <div className="grid grid-cols-1 gap-4 border-t border-line pt-3.5 @3xs:grid-cols-2">
              {form.fieldsOf('data', 'advanced').map((name) => (
                <FieldControl key={name} name={name} form={form} errors={errors} />
              ))}
            </div>
          </div>
        ) : null}
      </div>
      <SampleDialog open={asks === 'sample'} method={id} name={method.display_name} onWritten={setTrain} onClose={() => setAsks(null)} />
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
            setTrain(next)
            setAsks(null)
          }}
          onClose={() => setAsks(null)}
        />
      ) : null}
    </Card>
  )
}
