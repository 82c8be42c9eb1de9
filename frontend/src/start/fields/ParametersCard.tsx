/** How the run trains. Simple shows what most runs touch, Advanced all of it. */
import type { ReactNode } from 'react'
import type { FieldName } from '@/api/fields'
import type { Preview } from '@/api/generated'
import { advancedGroups, engineDefault } from './advancedGroups'
import { FieldControl } from './FieldControl'
import type { FieldErrors } from './form'
import { number } from '@/start/review/review'
import type { StartForm } from './useStartForm'
import { compact, count } from '@/lib/format'
import { Card } from '@/ui/Card'

type Props = {
  readonly form: StartForm
  readonly errors: FieldErrors
  readonly preview: Preview | null
}

export const FIELD_GRID = 'grid grid-cols-1 gap-x-4 gap-y-4 @3xs:grid-cols-2 @2xl:grid-cols-4'

export function ParametersCard({ form, errors, preview }: Props) {
  const simple = form.fieldsOf('parameters', 'simple')
  const shown = [...FIRST, ...simple.filter((name) => !FIRST.includes(name))]
  return (
    <Card title="Training parameters" subtitle={validationLine(form, preview)} bodyClassName="@container">
      <div className={FIELD_GRID}>
        {shown.map((name) => (
          <FieldControl
            key={name}
            name={name}
            form={form}
            errors={errors}
            help={effectOf(name, form, preview)}
            placeholder={derivedLength(name, preview)}
          />
        ))}
      </div>
      {form.level === 'advanced' ? (
        advancedGroups(form.fieldsOf('parameters', 'advanced')).map((group) => (
          <section key={group.name} aria-label={group.name} className="mt-4 border-t border-line pt-3">
            <h3 className="mb-2.5 text-small font-semibold text-soft">{group.name}</h3>
            <div className={FIELD_GRID}>
              {group.fields.map((name) => (
                <FieldControl
                  key={name}
                  name={name}
                  form={form}
                  errors={errors}
                  placeholder={engineDefault(name, String(form.values.optimizer))}
                />
              ))}
            </div>
          </section>
        ))
      ) : null}
    </Card>
  )
}

/** What belongs together stands together; every other field of the schema follows by itself. */
const FIRST: readonly FieldName[] = ['learning_rate', 'iterations', 'epochs', 'batch_size', 'max_seq_length']

/** What the present value leads to, said beside the control that causes it. */
function effectOf(name: FieldName, form: StartForm, preview: Preview | null): ReactNode {
  const { values } = form
  switch (name) {
    case 'iterations':
      return preview ? `${count(preview.steps_per_epoch)} per epoch` : undefined
    case 'epochs':
      return values.epochs === '' && preview ? 'Derived from iterations' : undefined
    case 'batch_size': {
      const [batch, steps] = [number(form, 'batch_size'), number(form, 'grad_accumulation_steps')]
      if (batch === null || steps === null || steps === 1) return undefined
      return `Accumulation ${count(steps)} → effective ${count(batch * steps)}`
    }
    default:
      return undefined
  }
}

/** Of iterations and epochs the one that is not given shows what follows from the other. */
function derivedLength(name: FieldName, preview: Preview | null): string | undefined {
  if (!preview) return undefined
  if (name === 'iterations') return count(preview.iterations)
  return name === 'epochs' ? `≈ ${compact(preview.epochs, 2)}` : undefined
}

function validationLine(form: StartForm, preview: Preview | null): string {
  if (form.values.val_data_path !== '') {
    return preview ? `Validation: ${count(preview.data.valid_rows)} rows from a separate file` : 'Validation: a separate file'
  }
  const share = number(form, 'val_split')
  if (share === 0) return 'Validation: none, so no best adapter and no early stop'
  const part = share === null ? 'a part' : `${compact(share * 100, 2)} %`
  return `Validation: ${part} of the rows, held out by seed`
}
