/** The rows to train on, and those to judge by. */
import { useCallback, useEffect } from 'react'
import { DataFindings } from '@/start/data/examination/DataFindings'
import { MapColumns } from './convert/MapColumns'
import { DataField } from './DataField'
import { HubDataButton } from './hub/HubDataButton'
import { FieldControl } from '@/start/fields/FieldControl'
import type { FieldErrors } from '@/start/fields/form'
import { number } from '@/start/review/review'
import { formName } from './dataForms'
import { useDataFile } from './useDataFile'
import { useInspection, type Inspection } from '@/start/data/examination/useInspection'
import { useLongestRow } from './useLongestRow'
import type { StartForm } from '@/start/fields/useStartForm'
import { onCommand } from '@/lib/commands'
import { baseName, plural } from '@/lib/format'
import { Card } from '@/ui/Card'
import { LinkButton } from '@/ui/controls/LinkButton'

type Props = { readonly form: StartForm; readonly errors: FieldErrors }

export function DataCard({ form, errors }: Props) {
  const { set, values, level } = form
  const validPath = String(values.val_data_path)
  const valid = useInspection(validPath, UNMEASURED)
  const train = useInspection(String(values.train_data_path), {
    model: form.model,
    length: number(form, 'max_seq_length'),
    batch: number(form, 'batch_size'),
    valid: { path: validPath, inspection: valid },
  })
  const trainFile = useDataFile(useCallback((path: string) => set('train_data_path', path), [set]))
  const validFile = useDataFile(useCallback((path: string) => set('val_data_path', path), [set]))
  useLongestRow(form, train)
  const { browse } = trainFile
  useEffect(() => onCommand('open-training-data', () => void browse()), [browse])
  const beside = values.val_data_path === '' ? train.found?.valid_beside : null
  return (
    <Card title="Data" subtitle={summary(train, String(values.train_data_path))}>
      <div className="flex flex-col gap-3">
        <DataField name="train_data_path" form={form} errors={errors} inspection={train} file={trainFile} />
        <MapColumns found={train.found} onUse={(path) => set('train_data_path', path)} />
        <HubDataButton page="/setup" />
        <DataFindings form={form} inspection={train} />
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
