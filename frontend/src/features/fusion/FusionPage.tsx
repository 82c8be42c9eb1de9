/** Several adapters of one base into one, and what that one still knows. */
import { Combine } from 'lucide-react'
import { useCallback, useMemo, useState } from 'react'
import { useSearchParams } from 'react-router'
import type { FusionResultAnswer } from '@/api/generated'
import { ActionLink } from '@/ui/controls/ActionLink'
import { Button } from '@/ui/controls/Button'
import { EmptyState } from '@/ui/feedback/EmptyState'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { RetryPanel } from '@/ui/feedback/RetryPanel'
import { Notice } from '@/ui/feedback/Notice'
import { PageHeader } from '@/ui/PageHeader'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { AdapterChoice } from '@/features/fusion/form/AdapterChoice'
import { ExportDialog } from './export/ExportDialog'
import { FusionForm } from '@/features/fusion/form/FusionForm'
import { canFuse, fieldsOf, FORM, groupsOf, readNames, writeNames, type FusionFields } from '@/features/fusion/form/fusionForm'
import { FusionProgress } from './FusionProgress'
import { FusionResult } from '@/features/fusion/result/FusionResult'
import { useFusion, type Fusion } from './useFusion'

export function FusionPage() {
  const fusion = useFusion()
  const [exported, closeExport] = useExported()
  return (
    <>
      <PageHeader title="Fusion" subtitle="Merge adapters of one base" />
      {exported === null ? null : <ExportDialog key={exported} adapter={exported} onClose={closeExport} />}
      <div className="flex flex-col gap-3">
        {fusion.problem ? (
          <RetryPanel problem={fusion.problem} retrying={fusion.retrying} onRetry={fusion.retry} />
        ) : null}
        {fusion.waiting && !fusion.problem ? <Waiting /> : null}
        {fusion.waiting ? null : <Body fusion={fusion} />}
      </div>
    </>
  )
}

function Body({ fusion }: { readonly fusion: Fusion }) {
  const { running, ending, result } = fusion
  const [names, setNames] = useNames()
  const [fields, setFields] = useState<FusionFields>(FORM)
  const [opened, setOpened] = useState(false)
  const [started, setStarted] = useState('')
  // A link with adapters asks for the form, unless they were just merged; else the last result comes first.
  const linked = writeNames(names)
  const editing = opened || ![started, '', writeNames(result?.fusion_info.adapter_names ?? [])].includes(linked)
  const adapters = fusion.adapters ?? NO_ADAPTERS
  const groups = useMemo(() => groupsOf(adapters), [adapters])
  const missing = names.filter((name) => !adapters.some((each) => each.name === name))
  const chosen = names.filter((name) => !missing.includes(name))
  const choose = (next: readonly string[]) => {
    setOpened(true)
    setNames(next)
    // Weights belong to the adapters that they were set for.
    setFields((before) => ({ ...before, weights: null }))
  }
  const again = (from: FusionResultAnswer) => {
    setNames(from.fusion_info.adapter_names.filter((name) => adapters.some((each) => each.name === name)))
    setFields(fieldsOf(from.fusion_info))
    setOpened(true)
  }
  const asked = editing || result === null || ending !== null
  const formShown = !running && asked
  return (
    <>
      {running ? <FusionProgress fusion={fusion} /> : null}
      <Ending fusion={fusion} />
      {formShown && missing.length > 0 ? (
        <Notice tone="warn" title={`Adapter ${missing.join(', ')} is no longer available.`}>
          It was deleted, renamed or moved. Choose another one.
        </Notice>
      ) : null}
      {formShown && !canFuse(groups) ? <TooFew fusion={fusion} /> : null}
      {formShown && canFuse(groups) ? (
        <FusionForm
          groups={groups}
          names={chosen}
          fields={fields}
          fusion={fusion}
          onNames={choose}
          onChange={(part) => setFields((before) => ({ ...before, ...part }))}
          onStarted={() => {
            setOpened(false)
            setStarted(linked)
          }}
        />
      ) : null}
      {fusion.unreadable ? <ErrorPanel message={fusion.unreadable.detail} hint={fusion.unreadable.hint} /> : null}
      {result && !running ? (
        <FusionResult
          result={result}
          here={adapters.some(({ name }) => name === result.fusion_info.output_name)}
          last={formShown}
          onAgain={() => again(result)}
        />
      ) : null}
    </>
  )
}

const NO_ADAPTERS: NonNullable<Fusion['adapters']> = []

/** The adapter that a link asks to export. */
function useExported(): readonly [string | null, () => void] {
  const [params, setParams] = useSearchParams()
  const close = useCallback(() => {
    setParams(
      (before) => {
        const after = new URLSearchParams(before)
        after.delete('export')
        return after
      },
      { replace: true },
    )
  }, [setParams])
  return [params.get('export'), close]
}

/** Which adapters are chosen, in the address, so that a link can ask for them. */
function useNames(): readonly [readonly string[], (names: readonly string[]) => void] {
  const [params, setParams] = useSearchParams()
  const text = params.get('adapters')
  const names = useMemo(() => readNames(text), [text])
  const set = useCallback(
    (next: readonly string[]) => {
      setParams(
        (before) => {
          const after = new URLSearchParams(before)
          if (next.length === 0) after.delete('adapters')
          else after.set('adapters', writeNames(next))
          return after
        },
        { replace: true },
      )
    },
    [setParams],
  )
  return [names, set]
}

function Ending({ fusion: { ending, starting, dismiss } }: { readonly fusion: Fusion }) {
  if (ending === null || starting) return null
  const action = (
    <Button size="small" onClick={dismiss}>
      Dismiss
    </Button>
  )
  if (ending.kind === 'stopped') return <Notice action={action}>{ending.message}</Notice>
  return <ErrorPanel message={`The fusion failed: ${ending.message}`} hint={ending.hint} action={action} />
}

function TooFew({ fusion }: { readonly fusion: Fusion }) {
  const groups = groupsOf(fusion.adapters ?? NO_ADAPTERS)
  return (
    <>
      <EmptyState
        icon={Combine}
        title="Two adapters of one base are needed"
        action={
          <ActionLink to="/setup" primary>
            Train an adapter in Setup
          </ActionLink>
        }
      >
        Fusion merges two to five adapters of the same base model into one, and measures base, adapters and result on the same
        held-out rows. Train {groups.length === 0 ? 'two adapters' : 'another adapter'} on one base first.
      </EmptyState>
      {groups.length > 0 ? <AdapterChoice groups={groups} chosen={[]} /> : null}
    </>
  )
}

function Waiting() {
  return (
    <div aria-busy="true" className="grid grid-cols-1 items-start gap-3 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <div className="flex flex-col gap-3">
        <Skeleton className="h-56 rounded-card" />
        <Skeleton className="h-64 rounded-card" />
      </div>
      <Skeleton className="h-72 rounded-card max-lg:hidden" />
    </div>
  )
}
