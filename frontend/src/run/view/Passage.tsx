/** A text of the model or for it, in a box that scrolls where it is long; null is not known. */
import { UNKNOWN } from '@/lib/format'

type PassageProps = { readonly label: string; readonly text: string | null; readonly quiet?: boolean }

export function Passage({ label, text, quiet }: PassageProps) {
  return (
    <div className="min-w-0">
      <p className="text-tiny text-faint">{label}</p>
      {/* A long text scrolls in its box, so the keyboard must be able to reach it. */}
      <div
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        role="group"
        aria-label={label}
        className={`max-h-40 overflow-auto rounded-small text-small break-words whitespace-pre-wrap ${quiet ? 'text-soft' : 'text-ink'}`}
      >
        {text === null ? UNKNOWN : text === '' ? <span className="text-faint">(empty)</span> : text}
      </div>
    </div>
  )
}
