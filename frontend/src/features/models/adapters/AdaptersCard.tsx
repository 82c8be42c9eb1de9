/** The adapters of this machine by base or task, and what they save. */
import { Layers } from 'lucide-react'
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useListAdaptersQuery, type ModelInfo } from '@/api/generated'
import { bytes, plural } from '@/lib/format'
import { ActionLink } from '@/ui/controls/ActionLink'
import { Button } from '@/ui/controls/Button'
import { Segmented } from '@/ui/controls/Segmented'
import { TextInput } from '@/ui/controls/TextInput'
import { Card } from '@/ui/Card'
import { EmptyState } from '@/ui/feedback/EmptyState'
import { RetryPanel } from '@/ui/feedback/RetryPanel'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { AdapterRow } from './AdapterRow'
import { chosenAdapters, groupsOf, savingWords, type Grouping } from './adapterGroups'
import { ImportDialog } from './ImportDialog'

const FEW = 6 // From here on a filter helps.

export function AdaptersCard({ models }: { readonly models: readonly ModelInfo[] }) {
  const { data, error, isFetching, refetch } = useListAdaptersQuery(undefined, { refetchOnMountOrArgChange: true })
  const [by, setBy] = useState<Grouping>('base')
  const [text, setText] = useState('')
  const [importing, setImporting] = useState(false)
  const problem = readProblem(error)
  const adapters = data?.adapters ?? []
  const groups = groupsOf(chosenAdapters(adapters, text), by)
  const total = adapters.reduce((sum, adapter) => sum + adapter.size_bytes, 0)
  const saving = savingWords(adapters, models)
  return (
    <Card
      title="Adapters"
      subtitle={adapters.length === 0 ? null : (saving ?? `${plural(adapters.length, 'adapter')}, ${bytes(total)}`)}
      actions={
        <>
          {adapters.length > FEW ? (
            <TextInput type="search" value={text} onText={setText} placeholder="Name, base, tag, data" aria-label="Filter the adapters" className="w-52" />
          ) : null}
          {adapters.length > 0 ? (
            <Segmented
              label="Group"
              value={by}
              choices={[
                { value: 'base', label: 'By base' },
                { value: 'task', label: 'By task' },
              ]}
              onChoose={setBy}
            />
          ) : null}
          <Button onClick={() => setImporting(true)}>Import…</Button>
        </>
      }
    >
      {problem && !data ? (
        <RetryPanel problem={problem} retrying={isFetching} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="h-16" />
      ) : adapters.length === 0 ? (
        <EmptyState
          icon={Layers}
          title="No adapter yet"
          action={
            <ActionLink to="/setup" primary>
              Set up a run
            </ActionLink>
          }
        >
          Each run saves an adapter here. You can also import one from PEFT or mlx-lm.
        </EmptyState>
      ) : groups.length === 0 ? (
        <p className="py-6 text-center text-soft">
          No matching adapters{' '}
          <Button size="small" kind="ghost" onClick={() => setText('')}>
            Show all
          </Button>
        </p>
      ) : (
        <div className="flex flex-col gap-5">
          {groups.map((group) => (
            <section key={group.name} aria-label={group.name}>
              <h3 className="mb-2 flex flex-wrap items-baseline gap-x-2 border-b border-line pb-1.5 text-small font-semibold break-words">
                {group.name}
                <span className="font-normal text-soft">
                  {[plural(group.adapters.length, 'adapter'), group.note].filter(Boolean).join(' · ')}
                </span>
              </h3>
              <ul className="flex flex-col divide-y divide-line">
                {group.adapters.map((adapter) => (
                  <AdapterRow key={adapter.name} adapter={adapter} />
                ))}
              </ul>
            </section>
          ))}
        </div>
      )}
      {importing ? <ImportDialog onClose={() => setImporting(false)} /> : null}
    </Card>
  )
}
