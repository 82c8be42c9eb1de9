/** The six figures above the charts. */
import { useSystemQuery } from '@/api/generated'
import type { RunView } from '@/run/reducer/runReducer'
import type { RunSeries } from '@/run/series/series'
import { StatCard, StatGrid } from '@/ui/StatCard'
import { useVersion } from '@/ui/chart/useVersion'
import { figuresOf } from './cards'

type Props = { readonly run: RunView; readonly series: RunSeries }

export function FigureGrid({ run, series }: Props) {
  useVersion(series)
  const { data } = useSystemQuery()
  const limit = data?.recommended_working_set ?? data?.memory_total ?? null
  return (
    <StatGrid>
      {figuresOf(run, series, limit).map((figure) => (
        <StatCard key={figure.label} {...figure} />
      ))}
    </StatGrid>
  )
}
