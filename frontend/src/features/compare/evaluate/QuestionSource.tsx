/** What is asked: the rows held out from training, or the prompts of a set. */
import { useState } from 'react'
import { useListPromptSetsQuery } from '@/api/generated'
import { plural } from '@/lib/format'
import { Field } from '@/ui/controls/Field'
import { LinkButton } from '@/ui/controls/LinkButton'
import { Select } from '@/ui/controls/Select'
import { PromptSetDialog, type SetRun } from '@/features/compare/prompt/PromptSetDialog'

type Props = {
  /** Null: the held-out rows. */
  readonly set: SetRun | null
  readonly onSet: (set: SetRun | null) => void
  readonly error: string | undefined
}

const ROWS = ''

export function QuestionSource({ set, onSet, error }: Props) {
  const { data } = useListPromptSetsQuery()
  const [open, setOpen] = useState(false)
  const saved = data?.prompt_sets ?? []
  const sets: readonly SetRun[] = set === null || saved.some((each) => each.name === set.name) ? saved : [...saved, set]
  return (
    <>
      <Field
        label="Evaluate on"
        error={error}
        aside={<LinkButton onClick={() => setOpen(true)}>Prompt sets…</LinkButton>}
      >
        {(control) => (
          <Select
            {...control}
            value={set?.name ?? ROWS}
            options={[
              { value: ROWS, label: 'Held-out rows' },
              ...sets.map(({ name, prompts }) => ({ value: name, label: `${name} · ${plural(prompts.length, 'prompt')}` })),
            ]}
            onChoose={(name) => onSet(sets.find((each) => each.name === name) ?? null)}
          />
        )}
      </Field>
      <PromptSetDialog
        open={open}
        adapter={null}
        prompt=""
        blocked={null}
        runWords="Use these"
        onClose={() => setOpen(false)}
        onRun={(chosen) => {
          setOpen(false)
          onSet(chosen)
        }}
      />
    </>
  )
}
