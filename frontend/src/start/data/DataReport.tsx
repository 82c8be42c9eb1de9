/** What every line of the file says to the method. */
import type { MethodDataReport } from '@/api/generated'
import { count } from '@/lib/format'
import { LinkButton } from '@/ui/controls/LinkButton'
import { Notice } from '@/ui/feedback/Notice'

type Props = { readonly report: MethodDataReport; readonly onConvert: () => void }

const SHOWN = 8

export function DataReport({ report, onConvert }: Props) {
  const { valid, message, hint, errors, error_count: wrong, warnings, convertible_to: target } = report
  const shown = errors.slice(0, SHOWN)
  return (
    <div className="flex flex-col gap-2" role="status">
      <Notice
        tone={valid ? 'info' : 'bad'}
        title={message}
        action={target ? <LinkButton quiet onClick={onConvert} className="font-semibold underline">Convert to {target}…</LinkButton> : null}
      >
        {shown.length > 0 ? (
          <ul className="flex flex-col gap-0.5">
            {shown.map(({ line, message: what }) => (
              <li key={`${line} ${what}`} className="break-words">
                {what}
              </li>
            ))}
            {wrong > shown.length ? <li>and {count(wrong - shown.length)} more</li> : null}
          </ul>
        ) : null}
        {hint ? <p className="mt-1">{hint}</p> : null}
      </Notice>
      {warnings.length > 0 ? (
        <Notice tone="warn">
          <ul className="flex flex-col gap-1">
            {warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Notice>
      ) : null}
    </div>
  )
}
