/** A run's charts with one shared cursor: what it is judged by large, the others beside and under it. */
import { useState, type ReactNode } from 'react'
import { compact, count, gigabytes, loss, UNKNOWN } from '@/lib/format'
import type { RunKind } from '@/run/series/runKind'
import type { RunSeries } from '@/run/series/series'
import { ChartGroup } from '@/ui/chart/chartTypes'
import { MainChart } from './MainChart'
import { mainCurve } from './mainCurve'
import { MethodCharts } from './MethodCharts'
import { SmallChart } from './SmallChart'

type Props = {
  readonly series: RunSeries
  readonly kind: RunKind
  readonly end: number | null
  readonly name: string
  readonly waiting: string
  /** Stands under the small charts. */
  readonly children?: ReactNode
}

const asLoss = (value: number | null) => loss(value)
const asRate = (value: number | null) => compact(value, 2)
const asSpeed = (value: number | null) =>
  value === null ? UNKNOWN : `${value >= 100 ? count(value) : compact(value, 3)} tok/s`
const asNorm = (value: number | null) => compact(value, 3)
const asMemory = (value: number | null) => gigabytes(value)

export function RunCharts({ series, kind, end, name, waiting, children }: Props) {
  const [group] = useState(() => new ChartGroup())
  const shared = { series, group, end }
  return (
    <div className="flex flex-col gap-3">
      <div className="grid gap-3 lg:grid-cols-[minmax(0,1fr)_17.5rem]">
        <div className="min-w-0">
          <MainChart {...shared} curve={mainCurve(kind)} name={name} waiting={waiting} />
        </div>
        <div className="grid min-w-0 content-start gap-3 sm:grid-cols-3 lg:grid-cols-1">
          {kind === 'reward' ? (
            <SmallChart
              {...shared}
              title="Loss"
              column="train_loss"
              color="chart-train"
              format={asLoss}
              note="Not a quality metric here; see the reward."
            />
          ) : null}
          <SmallChart {...shared} title="Learning rate" column="learning_rate" color="chart-rate" format={asRate} />
          <SmallChart {...shared} title="Throughput" column="tokens_per_second" color="chart-train" faint="chart-train-faint" format={asSpeed} />
          <SmallChart {...shared} title="Memory" column="peak_memory_gb" color="chart-memory" format={asMemory} />
          {series.train.has('grad_norm') ? (
            <SmallChart {...shared} title="Gradient norm" column="grad_norm" color="chart-train" faint="chart-train-faint" format={asNorm} />
          ) : null}
          {children}
        </div>
      </div>
      <MethodCharts {...shared} kind={kind} />
    </div>
  )
}
