/** One number of all runs over the same axis. */
import { useMemo, useRef, useState } from 'react'
import type { RunComparison as Comparison } from '@/api/generated'
import { saveFile } from '@/lib/download'
import { compact, plural } from '@/lib/format'
import { Card } from '@/ui/Card'
import { Chart, type ChartHandle } from '@/ui/chart/Chart'
import { ChartControls } from '@/ui/chart/ChartControls'
import { chartPicture } from '@/ui/chart/chartPicture'
import { useChartSettings } from '@/ui/chart/chartSettings'
import { ChartGroup, type ChartSource, type ChartStyle } from '@/ui/chart/chartTypes'
import { useVersion } from '@/ui/chart/useVersion'
import { Button } from '@/ui/controls/Button'
import { Select } from '@/ui/controls/Select'
import { AXIS_WORDS, curveData, curveLines, curveNames, curveWords } from './runCurves'
import { PointsTable } from './PointsTable'
import { RunMark } from './RunMark'
import { comparisonCsv } from './runTable'

const HEIGHT = 340

function useSource(comparison: Comparison, curve: string, smoothing: number): ChartSource {
  return useMemo(() => {
    const data = curveData(comparison, curve, smoothing)
    return { read: () => data, subscribe: () => () => undefined }
  }, [comparison, curve, smoothing])
}

function useStyle(comparison: Comparison, curve: string, log: boolean, clip: boolean): ChartStyle {
  return useMemo(
    () => ({ minHeight: HEIGHT, log: log && curve.endsWith('loss'), clip, xLabel: AXIS_WORDS[comparison.x], lines: curveLines(comparison, curve) }),
    [comparison, curve, log, clip],
  )
}

export function ComparedChart({ comparison }: { readonly comparison: Comparison }) {
  const names = curveNames(comparison)
  const [wanted, setWanted] = useState('train_loss')
  const curve = names.includes(wanted) ? wanted : (names[0] ?? 'train_loss')
  const [settings, change] = useChartSettings()
  const [table, setTable] = useState(false)
  const chart = useRef<ChartHandle>(null)
  const [group] = useState(() => new ChartGroup())
  useVersion(group)
  const { smoothing, clip, log } = settings
  const title = curveWords(curve)
  const source = useSource(comparison, curve, smoothing)
  const style = useStyle(comparison, curve, log, clip)
  const savePicture = async () => {
    const canvas = chart.current?.picture()
    const names = comparison.runs.map((run) => run.name).join(', ')
    const blob = canvas ? await chartPicture(canvas, `${title} by ${AXIS_WORDS[comparison.x].toLowerCase()} · ${names}`) : null
    if (blob) saveFile(`compared-${curve.replace('/', '-')}.png`, blob)
  }
  return (
    <Card
      title={title}
      subtitle={`By ${AXIS_WORDS[comparison.x].toLowerCase()}`}
      actions={
        <>
          <Select aria-label="Curve" value={curve} options={names.map((name) => ({ value: name, label: curveWords(name) }))} onChoose={setWanted} className="w-44" />
          <ChartControls
            settings={settings}
            onChange={change}
            axis={curve.endsWith('loss') ? `${title} axis` : null}
            table={table}
            onTable={setTable}
            onPicture={() => void savePicture()}
            onCsv={() => saveFile('compared-runs.csv', comparisonCsv(comparison), 'text/csv')}
          />
        </>
      }
    >
      <div className="mb-1 flex min-h-7 items-center justify-between gap-3">
        <ul className="flex flex-wrap items-center gap-x-4 gap-y-0.5">
          {comparison.runs.map((run, place) => (
            <li key={run.session_id} className="inline-flex items-center gap-1.5 text-small text-soft">
              <RunMark place={place} />
              {run.name}
              {(run.series[curve] ?? []).length === 0 ? ' (not recorded)' : ''}
            </li>
          ))}
        </ul>
        {group.view() === null ? null : (
          <Button size="small" kind="ghost" onClick={() => group.show(null)}>
            Reset zoom
          </Button>
        )}
      </div>
      {table ? (
        <PointsTable comparison={comparison} curve={curve} minHeight={HEIGHT} />
      ) : (
        <div className="relative" style={{ height: HEIGHT }}>
          <Chart ref={chart} summary={summaryOf(comparison, curve)} source={source} style={style} group={group} />
        </div>
      )}
    </Card>
  )
}

/** The picture in one sentence. */
function summaryOf(comparison: Comparison, curve: string): string {
  const parts = comparison.runs.map((run) => {
    const points = run.series[curve] ?? []
    const [first, last] = [points[0]?.[1], points.at(-1)?.[1]]
    return points.length === 0 ? `${run.name}: not recorded.` : `${run.name}: ${plural(points.length, 'point')}, from ${compact(first)} to ${compact(last)}.`
  })
  return `${curveWords(curve)} by ${AXIS_WORDS[comparison.x].toLowerCase()}. ${parts.join(' ')} The table shows all numbers.`
}
