/** The row of choices above the large chart. */
import { Download } from 'lucide-react'
import { Button } from '@/ui/controls/Button'
import type { ChartSettings } from './chartSettings'
import { Segmented } from '@/ui/controls/Segmented'

type Props = {
  readonly settings: ChartSettings
  /** What the choice between linear and logarithmic is called; null where only linear can be. */
  readonly axis: string | null
  readonly onChange: (change: Partial<ChartSettings>) => void
  readonly table: boolean
  readonly onTable: (table: boolean) => void
  readonly onPicture: () => void
  readonly onCsv: () => void
}

export function ChartControls(props: Props) {
  const { settings, axis, onChange, table, onTable, onPicture, onCsv } = props
  return (
    <>
      {axis === null ? null : (
        <Segmented
          label={axis}
          value={settings.log ? 'log' : 'linear'}
          choices={[
            { value: 'linear', label: 'Linear' },
            { value: 'log', label: 'Log' },
          ]}
          onChoose={(scale) => onChange({ log: scale === 'log' })}
        />
      )}
      <label className="flex items-center gap-2 px-1 text-small text-soft">
        <span className="w-23 whitespace-nowrap">Smoothing {settings.smoothing.toFixed(2)}</span>
        <input
          type="range"
          min={0}
          max={0.99}
          step={0.01}
          value={settings.smoothing}
          onChange={(event) => onChange({ smoothing: Number(event.target.value) })}
          className="h-4 w-20 accent-accent"
        />
      </label>
      <Toggle on={settings.clip} label="Clip outliers" onToggle={(clip) => onChange({ clip })} />
      <Toggle on={table} label="Table" onToggle={onTable} />
      <Button size="small" kind="ghost" onClick={onPicture} disabled={table} aria-label="Export the chart as PNG">
        <Download className="size-3.5" aria-hidden="true" />
        PNG
      </Button>
      <Button size="small" kind="ghost" onClick={onCsv} aria-label="Export the numbers as CSV">
        <Download className="size-3.5" aria-hidden="true" />
        CSV
      </Button>
    </>
  )
}

type ToggleProps = { readonly on: boolean; readonly label: string; readonly onToggle: (on: boolean) => void }

function Toggle({ on, label, onToggle }: ToggleProps) {
  return (
    <Button
      size="small"
      kind="ghost"
      aria-pressed={on}
      className="aria-pressed:bg-accent-wash aria-pressed:text-accent"
      onClick={() => onToggle(!on)}
    >
      {label}
    </Button>
  )
}
