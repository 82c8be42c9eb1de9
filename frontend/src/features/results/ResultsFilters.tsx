/** Search and filters over all runs; the server applies them. */
import type { SessionChoices } from '@/api/generated'
import { methodName } from '@/run/reducer/runConfig'
import { Segmented } from '@/ui/controls/Segmented'
import { Select } from '@/ui/controls/Select'
import { TextInput } from '@/ui/controls/TextInput'
import type { Filters } from './sessions'

type Props = {
  readonly filters: Filters
  readonly choices: SessionChoices
  readonly onChange: (part: Partial<Filters>) => void
}

export function ResultsFilters({ filters, choices, onChange }: Props) {
  const { methods, models, tags } = choices
  return (
    <>
      <TextInput
        type="search"
        value={filters.text}
        onText={(text) => onChange({ text })}
        placeholder="Name, model, notes, tag, file"
        aria-label="Search the sessions"
        className="w-56"
      />
      <Segmented
        label="State"
        value={filters.state}
        choices={[
          { value: 'all', label: 'All' },
          { value: 'completed', label: 'Completed' },
          { value: 'stopped', label: 'Stopped' },
          { value: 'failed', label: 'Failed' },
        ]}
        onChoose={(state) => onChange({ state })}
      />
      <Choice label="Method" all="All methods" values={methods} words={methodName} value={filters.method} onChoose={(method) => onChange({ method })} />
      <Choice label="Model" all="All models" values={models} value={filters.model} onChoose={(model) => onChange({ model })} />
      <Choice label="Tag" all="All tags" values={tags} value={filters.tag} onChoose={(tag) => onChange({ tag })} />
    </>
  )
}

type ChoiceProps = {
  readonly label: string
  readonly all: string
  readonly values: readonly string[]
  readonly words?: (value: string) => string
  readonly value: string
  readonly onChoose: (value: string) => void
}

/** Nothing to choose while all runs are alike. */
function Choice({ label, all, values, words, value, onChoose }: ChoiceProps) {
  if (values.length < (label === 'Tag' ? 1 : 2) && value === '') return null
  const options = [{ value: '', label: all }, ...values.map((one) => ({ value: one, label: words?.(one) ?? one }))]
  return <Select aria-label={label} value={value} options={options} onChoose={onChoose} className="w-36" />
}
