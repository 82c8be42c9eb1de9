/** Messages at the bottom right, clear of the bars there. Errors stay until they are closed or their cause ends; the rest leave by themselves. */
import { CircleAlert, CircleCheck, Info, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useDispatch, useSelector } from 'react-redux'
import { Link } from 'react-router'
import { cx } from '@/lib/cx'
import { CopyButton } from '@/ui/controls/CopyButton'
import { Button } from '@/ui/controls/Button'
import { IconButton } from '@/ui/controls/IconButton'
import { selectToasts, toastActions, toastDismissed, type Toast } from './toastSlice'

const SHOWN_MS = 5000
/** Time to read it, think, and press. */
const WITH_ACTION_MS = 10_000
const LOOKS = {
  info: { icon: Info, tone: 'text-soft' },
  good: { icon: CircleCheck, tone: 'text-good' },
  error: { icon: CircleAlert, tone: 'text-bad' },
}

export function Toasts() {
  const toasts = useSelector(selectToasts)
  return (
    <section
      aria-label="Messages"
      // Above the status bar; where the page is narrow also above the pages' bar and Setup's own. Chat has its box there.
      className="pointer-events-none fixed right-3 bottom-38 left-3 z-50 flex flex-col items-end gap-2 md:bottom-24 lg:bottom-10 [:root:has([data-page-foot])_&]:bottom-52 lg:[:root:has([data-page-foot])_&]:bottom-38"
    >
      {toasts.map((toast) => (
        <ToastBox key={toast.id} toast={toast} />
      ))}
    </section>
  )
}

function ToastBox({ toast }: { readonly toast: Toast }) {
  const dispatch = useDispatch()
  const { id, level, message, hint, action, link } = toast
  const stays = level === 'error'
  const pressable = action !== undefined || link !== undefined
  // Under the pointer or with the focus in it, somebody is about to press its button.
  const [held, setHeld] = useState(false)
  useEffect(() => {
    if (stays || held) return
    const timer = setTimeout(() => dispatch(toastDismissed(id)), pressable ? WITH_ACTION_MS : SHOWN_MS)
    return () => clearTimeout(timer)
  }, [dispatch, id, stays, held, pressable])
  useEffect(() => () => void toastActions.delete(id), [id])
  const act = () => {
    toastActions.get(id)?.()
    dispatch(toastDismissed(id))
  }
  const { icon: Icon, tone } = LOOKS[level]
  return (
    // The pointer and the focus only hold it; everything that can be pressed is a button in it.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      role={stays ? 'alert' : 'status'}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      className="pointer-events-auto flex w-full max-w-90 items-start gap-2.5 rounded-card border border-line bg-raised py-2.5 pr-2 pl-3 shadow-float"
    >
      <Icon className={cx('mt-0.5 size-4 shrink-0', tone)} aria-hidden="true" />
      <div className="min-w-0 flex-1 text-small break-words">
        <p className="font-medium text-ink">{message}</p>
        {hint ? <p className="mt-0.5 text-soft">{hint}</p> : null}
        {link ? (
          <Link
            to={link.to}
            className="mt-1 inline-block font-semibold text-accent hover:underline"
            onClick={() => dispatch(toastDismissed(id))}
          >
            {link.label}
          </Link>
        ) : null}
        {stays ? <CopyButton text={hint ? `${message}\n${hint}` : message} label="Copy details" /> : null}
      </div>
      {action === undefined ? null : (
        <Button size="small" onClick={act}>
          {action}
        </Button>
      )}
      <IconButton icon={X} label="Dismiss" onClick={() => dispatch(toastDismissed(id))} />
    </div>
  )
}
