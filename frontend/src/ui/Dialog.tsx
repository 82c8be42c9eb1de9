/**
 * A native modal dialog: the browser keeps the focus inside, closes on Escape and makes the page
 * behind it inert. The focus goes to what is marked `data-first-focus`, else to the close button.
 * `sheet` slides it to the bottom edge on narrow screens.
 */
import { X } from 'lucide-react'
import { useEffect, useId, useRef, type MouseEvent, type ReactNode } from 'react'
import { cx } from '@/lib/cx'
import { IconButton } from '@/ui/controls/IconButton'

type Props = {
  readonly open: boolean
  readonly title: string
  readonly onClose: () => void
  readonly footer?: ReactNode
  readonly size?: 'small' | 'normal' | 'wide'
  readonly sheet?: boolean
  readonly children: ReactNode
}

const SIZES = { small: 'max-w-96', normal: 'max-w-xl', wide: 'max-w-3xl' }

export function Dialog({ open, ...rest }: Props) {
  // Mounted only while open: what is inside starts fresh each time.
  return open ? <OpenDialog {...rest} /> : null
}

function OpenDialog({ title, onClose, footer, size = 'normal', sheet, children }: Omit<Props, 'open'>) {
  const ref = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useEffect(() => {
    const dialog = ref.current
    const before = document.activeElement
    dialog?.showModal()
    dialog?.querySelector<HTMLElement>('[data-first-focus]')?.focus()
    return () => {
      dialog?.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  const closeFromBackdrop = (event: MouseEvent) => {
    if (event.target === ref.current) onClose()
  }
  return (
    // The click on the backdrop only repeats what Escape and the close button do.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
    <dialog
      ref={ref}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={closeFromBackdrop}
      className={cx(
        'm-auto max-h-[85dvh] w-[calc(100%-2rem)] flex-col overflow-hidden rounded-card border border-line bg-card p-0 text-ink shadow-float backdrop:bg-scrim open:flex',
        SIZES[size],
        sheet && 'max-md:mx-0 max-md:mb-0 max-md:w-full max-md:max-w-none max-md:rounded-b-none',
      )}
    >
      <header className="flex items-center justify-between gap-4 border-b border-line py-2.5 pr-2.5 pl-4">
        <h2 id={heading} className="text-body font-semibold">
          {title}
        </h2>
        <IconButton icon={X} label="Close" onClick={onClose} />
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto p-4">{children}</div>
      {footer ? (
        <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-4 py-3">{footer}</footer>
      ) : null}
    </dialog>
  )
}
