/** Words kept with the run. */
import { FieldControl } from '@/start/fields/FieldControl'
import type { FieldErrors } from '@/start/fields/form'
import type { StartForm } from '@/start/fields/useStartForm'
import { Card } from '@/ui/Card'

const HELP: Readonly<Record<string, string>> = {
  notes: 'Saved with the session.',
  tags: 'Separated by commas, to find the run by.',
}

type Props = { readonly form: StartForm; readonly errors: FieldErrors }

export function NotesCard({ form, errors }: Props) {
  return (
    <Card title="Notes" bodyClassName="@container">
      <div className="grid grid-cols-1 gap-4 @md:grid-cols-2">
        {form.fieldsOf('run', 'simple').map((name) => (
          <FieldControl key={name} name={name} form={form} errors={errors} help={HELP[name]} />
        ))}
      </div>
    </Card>
  )
}
