/** The methods as cards to choose from: what each is for, and what it costs. */
import { useId, useState } from 'react'
import type { MethodInfo } from '@/api/generated'
import { cx } from '@/lib/cx'
import { plural } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { Card } from '@/ui/Card'
import { LinkButton } from '@/ui/controls/LinkButton'
import type { Methods } from './methodSpecs'

type Props = {
  readonly methods: Methods
  readonly chosen: string | null
  readonly onChoose: (id: string) => void
  readonly error?: string | undefined
}

/** The rewarded methods and the baseline come first in the server's order; the rest on request. */
const FIRST = 4

export function MethodCards({ methods, chosen, onChoose, error }: Props) {
  const name = useId()
  const all = Object.entries(methods)
  const [wanted, setWanted] = useState(false)
  const hidden = all.slice(FIRST)
  const open = wanted || hidden.some(([id]) => id === chosen)
  const groups = open ? groupsOf(all) : [{ title: '', methods: all.slice(0, FIRST) }]
  return (
    <Card
      title="Method"
      subtitle="How the model learns: from answers, from rewards, or from pairs of a better and a worse answer."
      bodyClassName="@container"
    >
      <fieldset>
        <legend className="sr-only">Training method</legend>
        <div className="flex flex-col gap-4">
          {groups.map(({ title, methods: own }) => (
            <div key={title} className="flex flex-col gap-2">
              {open ? <h3 className="text-small font-medium text-soft">{title}</h3> : null}
              <div className="grid grid-cols-1 gap-2.5 @sm:grid-cols-2 @3xl:grid-cols-4">
                {own.map(([id, method]) => (
                  <MethodCard key={id} id={id} group={name} method={method} chosen={id === chosen} onChoose={onChoose} />
                ))}
              </div>
            </div>
          ))}
        </div>
      </fieldset>
      {error ? <p className="mt-2 text-tiny text-bad">{error}</p> : null}
      {hidden.length > 0 && !open ? (
        <p className="mt-3 flex flex-wrap items-baseline gap-x-2 text-small text-soft">
          <LinkButton onClick={() => setWanted(true)}>Show {plural(hidden.length, 'more method')}</LinkButton>
          for pairs of answers, for a judge, and more for rewards.
        </p>
      ) : null}
    </Card>
  )
}

type Entry = readonly [id: string, method: MethodInfo]
/** By what a row of the data has to bring. */
const FAMILIES: Readonly<Record<MethodInfo['family'], string>> = {
  sft: 'From answers',
  policy: 'From rewards: functions that score answers',
  preference: 'From pairs of a better and a worse answer',
  online: 'From prompts alone: a judge compares answers',
}

function groupsOf(all: readonly Entry[]): readonly { readonly title: string; readonly methods: readonly Entry[] }[] {
  const families = [...new Set(all.map(([, method]) => method.family))]
  return families.map((family) => ({ title: FAMILIES[family], methods: all.filter(([, method]) => method.family === family) }))
}

type MethodCardProps = {
  readonly id: string
  readonly group: string
  readonly method: MethodInfo
  readonly chosen: boolean
  readonly onChoose: (id: string) => void
}

function MethodCard({ id, group, method, chosen, onChoose }: MethodCardProps) {
  const described = useId()
  return (
    <label
      className={cx(
        'relative flex min-w-0 flex-col gap-1.5 rounded-field border p-3 transition-colors',
        'has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-accent',
        chosen ? 'border-accent bg-accent-wash' : 'border-line hover:border-faint',
      )}
    >
      <span className="flex flex-wrap items-center justify-between gap-x-2 gap-y-1">
        <span className="flex items-center gap-2 font-semibold text-ink">
          <input
            type="radio"
            name={group}
            value={id}
            checked={chosen}
            aria-label={method.display_name}
            aria-describedby={described}
            onChange={() => onChoose(id)}
            className="size-3.5 accent-accent"
          />
          {method.display_name}
        </span>
        {method.badge ? <Badge tone={chosen ? 'accent' : 'neutral'}>{method.badge}</Badge> : null}
      </span>
      <span id={described} className="flex flex-1 flex-col gap-1.5 text-small text-soft">
        <span>{method.use_case}</span>
        <span className="mt-auto flex flex-wrap items-center gap-x-2.5 text-tiny">
          <span>Complexity: {complexityWord(method.stars)}</span>
          <span>Resources: {method.resource_intensity}</span>
        </span>
      </span>
    </label>
  )
}

/** In a word: stars would read as a rating. */
function complexityWord(stars: number): string {
  return stars <= 2 ? 'low' : stars === 3 ? 'medium' : 'high'
}
