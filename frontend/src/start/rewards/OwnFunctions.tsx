/** A Python file of one's own: it is used only after its code was shown and trusted. */
import { useState } from 'react'
import type { TrustedFile } from '@/api/generated'
import type { StartForm } from '@/start/fields/useStartForm'
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { Field } from '@/ui/controls/Field'
import { TextInput } from '@/ui/controls/TextInput'
import { CodeDialog } from './CodeDialog'

type Props = {
  readonly form: StartForm
  readonly files: readonly TrustedFile[]
  readonly error?: string | undefined
}

const STATES = {
  trusted: { tone: 'good', text: 'trusted' },
  changed: { tone: 'warn', text: 'changed since it was trusted' },
  missing: { tone: 'bad', text: 'missing' },
} as const

export function OwnFunctions({ form, files, error }: Props) {
  const [shows, setShows] = useState(false)
  const path = String(form.values.reward_functions_file)
  const state = files.find((file) => file.path === path)?.state
  return (
    <div className="flex flex-col gap-2">
      <Field
        label="Own functions"
        aside="optional"
        help="A Python file with reward functions. It runs with your rights, so review its code first. A changed file must be trusted again."
        error={error}
      >
        {(control) => (
          <div className="flex flex-wrap items-center gap-2">
            <TextInput
              {...control}
              mono
              showEnd
              value={path}
              placeholder="/path/to/rewards.py"
              onText={(text) => form.set('reward_functions_file', text)}
              className="min-w-48 flex-1"
            />
            <Button disabled={path.trim() === ''} onClick={() => setShows(true)}>
              Review code…
            </Button>
            {state && path !== '' ? <Badge tone={STATES[state].tone}>{STATES[state].text}</Badge> : null}
          </div>
        )}
      </Field>
      {shows ? <CodeDialog path={path.trim()} onClose={() => setShows(false)} /> : null}
    </div>
  )
}
