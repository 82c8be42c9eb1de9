/** Which engines there are, whether they compute, and how to install them again. */
import { readProblem } from '@/api/errors'
import { useCheckEnginesMutation, type EngineCheck, type EngineInstallation } from '@/api/generated'
import { UNKNOWN } from '@/lib/format'
import { Card } from '@/ui/Card'
import { Button } from '@/ui/controls/Button'
import { CopyButton } from '@/ui/controls/CopyButton'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'

// Of these only one is there, or they are extras: said where they are installed.
const OPTIONAL: ReadonlySet<string> = new Set(['mlx-cuda-12', 'mlx-cuda-13', 'lm-eval'])

export function EnginesSection({ engines }: { readonly engines: EngineInstallation }) {
  const [check, { data, error, isLoading }] = useCheckEnginesMutation()
  const problem = readProblem(error)
  const shown = Object.entries(engines.versions).filter(([name, version]) => version !== null || !OPTIONAL.has(name))
  const missing = shown.filter(([, version]) => version === null).map(([name]) => name)
  return (
    <Card
      title="Engines"
      subtitle="What trains and answers, in processes of their own"
      actions={
        <Button size="small" busy={isLoading && 'Checking…'} onClick={() => void check()}>
          Check
        </Button>
      }
    >
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-3 md:grid-cols-5">
        <Fact name="Python" value={engines.python_version || UNKNOWN} />
        {shown.map(([name, version]) => (
          <Fact key={name} name={name} value={version ?? 'missing'} bad={version === null} />
        ))}
      </dl>
      <p className="mt-3 font-mono text-tiny break-all text-faint">{engines.python}</p>
      {missing.length > 0 ? (
        <Notice className="mt-4" tone="bad" title={`${missing.join(', ')} can’t be found, so nothing can be trained.`}>
          Repair the environment with the command below.
        </Notice>
      ) : null}
      {problem ? <ErrorPanel className="mt-4" message={problem.detail} hint={problem.hint} /> : null}
      {data && !isLoading ? <Outcome check={data} /> : null}
      <h3 className="mt-5 mb-1 text-small font-medium text-ink">Repair</h3>
      <p className="text-small text-soft">{engines.repair_note}</p>
      <div className="mt-2 flex flex-wrap items-center justify-between gap-x-4 gap-y-1 rounded-field bg-sunken px-3 py-2">
        <code className="font-mono text-small break-all text-ink">{engines.repair_command}</code>
        <CopyButton text={engines.repair_command} />
      </div>
    </Card>
  )
}

function Fact({ name, value, bad = false }: { readonly name: string; readonly value: string; readonly bad?: boolean }) {
  return (
    <div className="min-w-0">
      <dt className="truncate text-tiny text-soft">{name}</dt>
      <dd className={bad ? 'text-body font-medium text-bad' : 'text-body font-medium text-ink tabular-nums'}>{value}</dd>
    </div>
  )
}

function Outcome({ check }: { readonly check: EngineCheck }) {
  if (!check.works) return <ErrorPanel className="mt-4" message={`The engine can’t compute. ${check.problem ?? ''}`} hint={check.remedy} />
  return (
    <Notice className="mt-4" title="The engine computes">
      <span role="status">{/gpu/i.test(check.device ?? '') ? 'On the graphics processor.' : 'On the processor (CPU).'}</span>
    </Notice>
  )
}
