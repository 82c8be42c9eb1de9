/** The rows to train on, and those to judge by: of fine-tuning, or of a chosen method. */
import { useCallback, useEffect } from 'react'
import type { MethodInfo } from '@/api/generated'
import { DataFindings } from '@/start/data/examination/DataFindings'
import { MapColumns } from './convert/MapColumns'
import { DataField } from './DataField'
import { DemoData } from './DemoData'
import { HubDataButton } from './hub/HubDataButton'
import { FieldControl } from '@/start/fields/FieldControl'
import type { FieldErrors } from '@/start/fields/form'
import { number } from '@/start/review/review'
import { formName } from './dataForms'
import { MethodRows } from './MethodRows'
import { useDataFile } from './useDataFile'
import { useInspection, type Inspection } from '@/start/data/examination/useInspection'
import { useLongestRow } from './useLongestRow'
import type { StartForm } from '@/start/fields/useStartForm'
import { onCommand } from '@/lib/commands'
import { baseName, plural } from '@/lib/format'
import { Card } from '@/ui/Card'
import { LinkButton } from '@/ui/controls/LinkButton'

type Props = {
  readonly form: StartForm
  readonly errors: FieldErrors
  /** A method of the enhanced tab, which has rows of its own form. */
  readonly chosen?: { readonly id: string; readonly method: MethodInfo }
}

export function DataCard({ form, errors, chosen }: Props) {
  const { set, values, level } = form
  const path = String(values.train_data_path)
  const validPath = String(values.val_data_path)
  const valid = useInspection(validPath, UNMEASURED)
  const train = useInspection(path, {
    model: form.model,
    length: number(form, 'max_seq_length'),
    ...(chosen ? {} : { batch: number(form, 'batch_size') }),
    valid: { path: validPath, inspection: valid },
  })
  const setTrain = useCallback((next: string) => set('train_data_path', next), [set])
  const trainFile = useDataFile(setTrain)
  const validFile = useDataFile(useCallback((next: string) => set('val_data_path', next), [set]))
  // Rows that answers are sampled for say nothing of the length of the answers.
  useLongestRow(form, train, !chosen || chosen.method.data_format === 'sft')
  const { browse } = trainFile
  const isCommanded = !chosen
  useEffect(() => (isCommanded ? onCommand('open-training-data', () => void browse()) : undefined), [browse, isCommanded])
  const beside = values.val_data_path === '' ? train.found?.valid_beside : null
  return (
    <Card title="Data" subtitle={chosen ? <Example of={chosen.method} /> : summary(train, path)}>
      <div className="flex flex-col gap-3">
        <DataField name="train_data_path" form={form} errors={errors} inspection={train} file={trainFile} />
        {chosen ? null : <MapColumns found={train.found} onUse={setTrain} />}
        <HubDataButton page={chosen ? '/enhanced-setup' : '/setup'} />
        {chosen ? <DemoData form={form} method={chosen.method} format={train.found?.format ?? null} /> : null}
        <DataFindings form={form} inspection={train} />
        {chosen ? <MethodRows {...chosen} path={path} train={train} onUse={setTrain} /> : null}
        <DataField name="val_data_path" form={form} errors={errors} inspection={valid} file={validFile} />
        {beside ? (
          <LinkButton className="self-start text-small" onClick={() => set('val_data_path', beside)}>
            Use {baseName(beside)} beside the training file
          </LinkButton>
        ) : null}
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
    </Card>
  )
}

function Example({ of }: { readonly of: MethodInfo }) {
  return (
    <>
      Each line <code className="font-mono text-tiny break-all">{of.data_example}</code>
    </>
  )
}

/** The validation rows' lengths are not shown, so they are not counted. */
const UNMEASURED = { model: null, length: null }

function summary({ found, looking, problem, cancelled }: Inspection, path: string): string {
  if (path === '') return 'JSONL rows: chat, text, prompt and completion'
  if (looking && !found) return 'Reading the file…'
  if (cancelled) return 'The file was not read'
  if (problem || !found) return 'The file could not be read'
  if (found.problem_count > 0) return 'Some rows can’t be used. Fix the file, or map its columns.'
  const format = formName(found.format)
  return found.complete === false ? `${format} · only the first ${plural(found.rows, 'row')} read` : `${format} · ${plural(found.rows, 'row')}, all usable`
}
