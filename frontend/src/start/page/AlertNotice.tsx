/** An alert of a run: cause, next step and, where it is a setting, a press that carries it into the next run's form. */
import { useDispatch } from 'react-redux'
import { useNavigate } from 'react-router'
import { ENHANCED_FIELDS, FIELDS } from '@/api/fields'
import type { Alert } from '@/api/frames'
import { Button } from '@/ui/controls/Button'
import { Notice } from '@/ui/feedback/Notice'
import { headline } from '@/start/review/review'
import { handedTo, setupAsked } from './handoffSlice'

export type AlertOf = { readonly name: string; readonly config: Readonly<Record<string, unknown>> | null }

const TONES = { info: 'info', warning: 'warn', error: 'bad' } as const

/** A long one is one line, the rest behind it, as in Review. */
export function AlertNotice({ alert, name, config }: { readonly alert: Alert } & AlertOf) {
  const head = headline(alert.message)
  const info = alert.level === 'info'
  return (
    <Notice
      tone={TONES[alert.level]}
      title={info ? undefined : (head ?? alert.message)}
      action={config && alert.fix ? <FixButton fix={alert.fix} name={name} config={config} /> : undefined}
    >
      {head === null && info ? alert.message : null}
      {head === null ? null : (
        <details>
          <summary className="cursor-pointer list-none">
            {info ? `${head} ` : null}
            <span className="font-semibold underline">Why?</span>
          </summary>
          <p className="mt-1">{alert.message}</p>
        </details>
      )}
      {alert.hint ? <p>{alert.hint}</p> : null}
    </Notice>
  )
}

type FixProps = { readonly fix: Readonly<Record<string, unknown>>; readonly name: string; readonly config: Readonly<Record<string, unknown>> }

function FixButton({ fix, name, config }: FixProps) {
  const dispatch = useDispatch()
  const navigate = useNavigate()
  return (
    <Button
      size="small"
      onClick={() => {
        const asked = { name, config: { ...config, ...fix } }
        dispatch(setupAsked(asked))
        void navigate(handedTo(asked))
      }}
    >
      Set up the next run with {fixWords(fix)}
    </Button>
  )
}

/** "learning rate 2e-5": the settings as the form calls them. */
export function fixWords(fix: Readonly<Record<string, unknown>>): string {
  return Object.entries(fix)
    .map(([field, value]) => {
      const label = labelOf(field)
      if (typeof value === 'boolean') return `${label} ${value ? 'on' : 'off'}`
      return `${label} ${typeof value === 'number' && value < 0.001 ? value.toExponential() : String(value)}`
    })
    .join(', ')
}

function labelOf(field: string): string {
  const known = FIELDS.find((one) => one.name === field) ?? ENHANCED_FIELDS.find((one) => one.name === field)
  const label = known?.title ?? field
  return label.charAt(0).toLowerCase() + label.slice(1)
}
