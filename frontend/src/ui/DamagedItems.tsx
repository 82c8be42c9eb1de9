/** Files of a list that can't be read, each with the reason and what can be done about it. */
import type { ReactNode } from 'react'
import { Notice } from '@/ui/feedback/Notice'

type Item = { readonly name: string; readonly path: string; readonly problem: string }
type Props = {
  readonly items: readonly Item[] | undefined
  readonly title: string
  readonly actionOf?: (item: Item) => ReactNode
}

export function DamagedItems({ items, title, actionOf }: Props) {
  return (items ?? []).map((item) => (
    <Notice key={item.path} tone="warn" title={title} action={actionOf?.(item)} className="mb-2">
      {item.problem} <span className="break-all">{item.path}</span>
    </Notice>
  ))
}
