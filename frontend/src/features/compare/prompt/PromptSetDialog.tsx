/** Sets of prompts, kept by the server: make one, change it, take it out, ask all of it. */
import { Play } from 'lucide-react'
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useForgetPromptSetMutation, useKeepPromptSetMutation, useListPromptSetsQuery, type NamedPromptSet } from '@/api/generated'
import { plural } from '@/lib/format'
import { Button } from '@/ui/controls/Button'
import { DamagedItems } from '@/ui/DamagedItems'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Field } from '@/ui/controls/Field'
import { Select } from '@/ui/controls/Select'
import { CONTROL, TextInput } from '@/ui/controls/TextInput'
import { useDeleted } from '@/features/compare/history/useDeleted'
import { promptsOf, setProblem, textOf } from './promptSets'

export type SetRun = { readonly name: string; readonly prompts: readonly string[] }

type Props = {
  readonly open: boolean
  /** What stands in the prompt box, to begin a set with. */
  readonly prompt: string
  /** Why a set can't be asked now; null where it can. */
  readonly blocked: string | null
  readonly onClose: () => void
  readonly onRun: (set: SetRun) => void
  readonly runWords: string
}

export function PromptSetDialog({ open, ...rest }: Props) {
  return open ? <OpenDialog {...rest} /> : null
}

const NEW = ''

function OpenDialog({ prompt, blocked, onClose, onRun, runWords }: Omit<Props, 'open'>) {
  const { data } = useListPromptSetsQuery()
  const sets = data?.prompt_sets ?? []
  const [chosen, setChosen] = useState<string | null>(null)
  const [name, setName] = useState('')
  const [text, setText] = useState(() => textOf(prompt.trim() === '' ? [] : [prompt.trim()]))
  const [tried, setTried] = useState(false)
  const [keep, keeping] = useKeepPromptSetMutation()
  const [forget, forgetting] = useForgetPromptSetMutation()
  const deleted = useDeleted()
  const current = chosen ?? NEW
  const prompts = promptsOf(text)
  const problems = setProblem(name, prompts)
  const fits = problems.name === undefined && problems.prompts === undefined
  const problem = readProblem(keeping.error) ?? readProblem(forgetting.error)
  const show = (set: NamedPromptSet | undefined) => {
    setChosen(set?.name ?? NEW)
    setName(set?.name ?? '')
    setText(textOf(set?.prompts ?? []))
    setTried(false)
  }
  const save = async () => {
    setTried(true)
    if (!fits) return
    const { data: kept } = await keep({ name: name.trim(), promptSet: { prompts: [...prompts] } })
    if (kept) setChosen(kept.name)
  }
  const remove = async () => {
    const { data: gone } = await forget({ name: current })
    if (!gone) return
    onClose() // What lies behind an open dialog can't be pressed, its Undo included.
    deleted(`Deleted the prompt set “${current}”.`, gone.undo)
  }
  return (
    <Dialog
      open
      title="Prompt sets"
      sheet
      onClose={onClose}
      footer={
        <>
          {current === NEW ? null : (
            <Button kind="danger" className="mr-auto" busy={forgetting.isLoading && 'Deleting…'} onClick={() => void remove()}>
              Delete
            </Button>
          )}
          <Button busy={keeping.isLoading && 'Saving…'} onClick={() => void save()}>
            Save
          </Button>
          <Button
            kind="primary"
            disabled={prompts.length === 0 || blocked !== null}
            title={blocked ?? undefined}
            onClick={() => onRun({ name: name.trim() || 'These prompts', prompts })}
          >
            <Play className="size-3.5" aria-hidden="true" />
            {runWords}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <DamagedItems
          items={data?.damaged}
          title="A prompt set can’t be read"
          actionOf={({ name: damaged }) => (
            <Button size="small" onClick={() => void forget({ name: damaged })}>
              Delete it
            </Button>
          )}
        />
        <Field label="Set">
          {(control) => (
            <Select
              {...control}
              value={current}
              options={[
                { value: NEW, label: 'New set' },
                ...sets.map((set) => ({ value: set.name, label: `${set.name} · ${plural(set.prompts.length, 'prompt')}` })),
              ]}
              onChoose={(value) => show(sets.find((set) => set.name === value))}
            />
          )}
        </Field>
        <Field label="Name" error={tried ? problems.name : null}>
          {(control) => <TextInput {...control} value={name} onText={setName} placeholder="support questions" />}
        </Field>
        <Field
          label="Prompts"
          aside={plural(prompts.length, 'prompt')}
          help="One per line. Put a line of three dashes (---) between prompts that have several lines."
          error={tried || prompts.length > 0 ? problems.prompts : null}
        >
          {(control) => (
            <textarea
              {...control}
              value={text}
              rows={8}
              spellCheck={false}
              onChange={(event) => setText(event.target.value)}
              className={`${CONTROL} max-h-80 resize-y px-2.5 py-2`}
            />
          )}
        </Field>
        {blocked ? <p className="text-small text-soft">{blocked}</p> : null}
        {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      </div>
    </Dialog>
  )
}
