/** Which file, and in whose tokens. */
import type { ReactNode } from 'react'
import { Card } from '@/ui/Card'
import { Field } from '@/ui/controls/Field'
import { Select } from '@/ui/controls/Select'
import { TextInput } from '@/ui/controls/TextInput'

type Props = {
  readonly path: string
  readonly onPath: (path: string) => void
  readonly model: string
  readonly models: readonly string[]
  readonly onModel: (name: string) => void
  /** What is known of the file, and what can be done with it. */
  readonly children?: ReactNode
}

export function PathBar({ path, onPath, model, models, onModel, children }: Props) {
  return (
    <Card>
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <Field label="File or folder">
          {(control) => (
            <TextInput
              {...control}
              mono
              value={path}
              title={path}
              placeholder="/path/to/rows.jsonl"
              onText={onPath}
            />
          )}
        </Field>
        <Field label="Tokenizer">
          {(control) => (
            <Select
              {...control}
              value={model}
              disabled={models.length === 0}
              options={
                models.length === 0
                  ? [{ value: '', label: 'No model found' }]
                  : models.map((name) => ({ value: name, label: name }))
              }
              onChoose={onModel}
            />
          )}
        </Field>
      </div>
      {children}
    </Card>
  )
}
