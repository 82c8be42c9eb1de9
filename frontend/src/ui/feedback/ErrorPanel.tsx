/** What happened, what to do, and a way to copy the detail. */
import type { ReactNode } from 'react'
import { CopyButton } from '@/ui/controls/CopyButton'
import { Notice } from './Notice'

type Props = {
  readonly message: string
  readonly hint?: string | null | undefined
  readonly detail?: string | null | undefined
  readonly action?: ReactNode
  readonly className?: string
}

export function ErrorPanel({ message, hint, detail, action, className }: Props) {
  const copied = [message, hint, detail].filter(Boolean).join('\n')
  return (
    <Notice
      tone="bad"
      title={message}
      {...(className ? { className } : {})}
      action={
        <span className="flex flex-wrap items-center gap-3">
          {action}
          <CopyButton text={copied} label="Copy details" />
        </span>
      }
    >
      {hint}
    </Notice>
  )
}
