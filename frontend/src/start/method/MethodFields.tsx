/** What the chosen method can be told, drawn from the server's own list of its parameters. */
import type { FieldName } from '@/api/fields'
import type { MethodInfo } from '@/api/generated'
import { FieldControl } from '@/start/fields/FieldControl'
import type { FieldErrors } from '@/start/fields/form'
import { FIELD_GRID } from '@/start/fields/ParametersCard'
import type { StartForm } from '@/start/fields/useStartForm'
import { Card } from '@/ui/Card'
import { Notice } from '@/ui/feedback/Notice'
import { offReason } from './methodSpecs'

type Props = {
  readonly form: StartForm
  readonly method: MethodInfo
  readonly errors: FieldErrors
}

const GROUPS = ['rollouts', 'objective'] as const

export function MethodFields({ form, method, errors }: Props) {
  const names = (level: 'simple' | 'advanced') => GROUPS.flatMap((group) => form.fieldsOf(group, level))
  const advanced = form.level === 'advanced' ? names('advanced') : []
  if (names('simple').length + advanced.length === 0) return null
  return (
    <Card title={method.display_name} subtitle={method.description} bodyClassName="@container">
      <div className={FIELD_GRID}>
        {names('simple').map((name) => (
          <MethodField key={name} name={name} form={form} method={method} errors={errors} />
        ))}
      </div>
      {advanced.length > 0 ? (
        <div className={`${FIELD_GRID} mt-4 border-t border-line pt-4`}>
          {advanced.map((name) => (
            <MethodField key={name} name={name} form={form} method={method} errors={errors} />
          ))}
        </div>
      ) : null}
      {method.notes.length > 0 ? (
        <Notice className="mt-4">
          <ul className="flex flex-col gap-1.5">
            {method.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </Notice>
      ) : null}
      <p className="mt-3 text-tiny text-faint">{method.source}</p>
    </Card>
  )
}

export function MethodField({ name, form, method, errors }: Props & { readonly name: FieldName }) {
  const { options = [], help } = form.field(name)
  const only = options.length === 1 ? `${help} This is what makes it ${method.display_name}.` : null
  return <FieldControl name={name} form={form} errors={errors} off={only ?? offReason(method, name, form.values)} />
}
