/** Choose runs and compare them: the chosen ones, or one of the pairs that are worth it. */
import { GitCompare } from 'lucide-react'
import { useComparePresetsQuery } from '@/api/generated'
import { plural } from '@/lib/format'
import { ActionLink } from '@/ui/controls/ActionLink'
import { Button } from '@/ui/controls/Button'
import { comparisonAddress } from './sessions'

type Props = { readonly chosen: readonly string[]; readonly onClear: () => void }

export function CompareBar({ chosen, onClear }: Props) {
  const { data } = useComparePresetsQuery(undefined, { refetchOnMountOrArgChange: true })
  return (
    <section aria-label="Compare runs" className="mb-3 flex min-h-8 flex-wrap items-center gap-2">
      {chosen.length === 0 ? (
        <>
          <span className="mr-1 text-small text-soft">Choose runs to compare, or compare</span>
          {data?.presets.map((preset) =>
            preset.ids.length > 0 ? (
              <ActionLink key={preset.id} to={comparisonAddress(preset.ids)}>
                {preset.title}
              </ActionLink>
            ) : (
              <Button key={preset.id} disabled title={preset.message}>
                {preset.title}
              </Button>
            ),
          )}
        </>
      ) : (
        <>
          <span className="text-small text-soft" aria-live="polite">
            {plural(chosen.length, 'run')} chosen
          </span>
          {chosen.length > 1 ? (
            <ActionLink primary to={comparisonAddress(chosen)}>
              <GitCompare className="size-3.5" aria-hidden="true" />
              Compare runs
            </ActionLink>
          ) : (
            <Button disabled title="Choose a second run">
              Compare runs
            </Button>
          )}
          <Button kind="ghost" onClick={onClear}>
            Clear
          </Button>
        </>
      )}
    </section>
  )
}
