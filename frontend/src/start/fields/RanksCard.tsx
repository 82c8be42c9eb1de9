/** In how many processes a run trains: one, several of this machine, or those of a host file. */
import { useState } from 'react'
import { FIELD_GRID } from './ParametersCard'
import type { FieldErrors } from './form'
import type { StartForm } from './useStartForm'
import { ranksText, readRanks, type Ranks } from '@/lib/ranks'
import { Card } from '@/ui/Card'
import { Field } from '@/ui/controls/Field'
import { LinkButton } from '@/ui/controls/LinkButton'
import { NumberInput } from '@/ui/controls/NumberInput'
import { Segmented } from '@/ui/controls/Segmented'
import { Select } from '@/ui/controls/Select'
import { TextInput } from '@/ui/controls/TextInput'
import { RanksGuide } from './RanksGuide'

type Props = { readonly form: StartForm; readonly errors: FieldErrors }

const NAME = 'distributed'
const CHOICES = [
  { value: 'one', label: 'Off' },
  { value: 'processes', label: 'This machine' },
  { value: 'hosts', label: 'Several machines' },
] as const
const FIRST: Readonly<Record<Ranks['kind'], Ranks>> = {
  one: { kind: 'one' },
  processes: { kind: 'processes', count: '2' },
  hosts: { kind: 'hosts', backend: 'ring', path: '' },
}
const BACKENDS: Readonly<Record<string, string>> = {
  ring: 'Ring: any network',
  mpi: 'MPI: an installed Open MPI',
  jaccl: 'JACCL: Thunderbolt 5',
}

export function RanksCard({ form, errors }: Props) {
  const [guide, setGuide] = useState(false)
  const field = form.field(NAME)
  const ranks = readRanks(String(form.values[NAME]))
  const set = (next: Ranks) => form.set(NAME, ranksText(next))
  return (
    <Card
      title={field.title}
      subtitle="Each process has its rows of every batch and a copy of the model; losses are those of one process."
      bodyClassName="@container"
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <Segmented label={field.title} value={ranks.kind} choices={CHOICES} onChoose={(kind) => set(FIRST[kind])} />
        <LinkButton className="text-small" onClick={() => setGuide(true)}>
          How to set up several machines
        </LinkButton>
      </div>
      {ranks.kind === 'processes' ? (
        <div className={`${FIELD_GRID} mt-4`}>
          <Field label="Processes" help={`From ${field.min} to ${field.max}. The batch size must be a multiple of it.`} error={errors[NAME]}>
            {(control) => (
              <NumberInput
                {...control}
                value={ranks.count}
                step={1}
                min={field.min}
                max={field.max}
                onText={(count) => set({ ...ranks, count })}
              />
            )}
          </Field>
        </div>
      ) : null}
      {ranks.kind === 'hosts' ? (
        <div className="mt-4 grid grid-cols-1 gap-4 @md:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
          <Field
            label="Host file"
            help="The JSON file that mlx.launch reads; its first host is this machine."
            error={ranks.path.trim() === '' ? undefined : errors[NAME]} // Before that the review asks for it.
          >
            {(control) => (
              <TextInput
                {...control}
                mono
                showEnd
                value={ranks.path}
                title={ranks.path}
                placeholder="Path of a .json file"
                onText={(path) => set({ ...ranks, path })}
              />
            )}
          </Field>
          <Field label="Backend" help="What the processes talk over.">
            {(control) => (
              <Select
                {...control}
                value={ranks.backend}
                options={(field.options ?? []).map(String).map((value) => ({ value, label: BACKENDS[value] ?? value }))}
                onChoose={(backend) => set({ ...ranks, backend })}
              />
            )}
          </Field>
        </div>
      ) : null}
      <RanksGuide open={guide} onClose={() => setGuide(false)} />
    </Card>
  )
}
