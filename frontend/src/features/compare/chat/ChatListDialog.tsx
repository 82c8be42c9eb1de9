/** Earlier conversations, newest first. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useDeleteChatMutation, useListChatsQuery } from '@/api/generated'
import { cx } from '@/lib/cx'
import { moment, plural } from '@/lib/format'
import { Button } from '@/ui/controls/Button'
import { DamagedItems } from '@/ui/DamagedItems'
import { Dialog } from '@/ui/Dialog'
import { RetryPanel } from '@/ui/feedback/RetryPanel'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { targetTitle } from '@/features/compare/targets/targets'
import { targetOf } from './chat'

type Props = {
  readonly open: boolean
  readonly current: string | null
  readonly onClose: () => void
  readonly onOpen: (id: string) => void
}

export function ChatListDialog({ open, ...rest }: Props) {
  return open ? <OpenList {...rest} /> : null
}

const PAGE = 20

function OpenList({ current, onClose, onOpen }: Omit<Props, 'open'>) {
  const [limit, setLimit] = useState(PAGE)
  const { data, error, refetch } = useListChatsQuery({ limit }, { refetchOnMountOrArgChange: true })
  const [remove] = useDeleteChatMutation()
  const problem = readProblem(error)
  return (
    <Dialog open title="Conversations" sheet onClose={onClose}>
      {problem ? <RetryPanel problem={problem} onRetry={() => void refetch()} /> : null}
      {!problem && !data ? <Skeleton className="h-24" /> : null}
      <DamagedItems
        items={data?.damaged}
        title="A conversation can’t be read"
        actionOf={({ name }) => (
          <Button size="small" onClick={() => void remove({ chatId: name })}>
            Delete it
          </Button>
        )}
      />
      {data?.chats.length === 0 ? <p className="py-4 text-center text-soft">No conversations yet.</p> : null}
      <ul className="flex flex-col">
        {data?.chats.map((chat) => (
          <li key={chat.id} className="border-b border-line last:border-0">
            <button
              type="button"
              aria-current={chat.id === current ? 'true' : undefined}
              onClick={() => onOpen(chat.id)}
              className={cx('flex w-full min-w-0 flex-col gap-0.5 rounded-small px-2 py-2 text-left hover:bg-sunken', chat.id === current && 'bg-accent-wash')}
            >
              <span className="w-full truncate">{chat.title || 'Empty conversation'}</span>
              <span className="flex w-full gap-2 text-small text-faint">
                <span className="min-w-0 flex-1 truncate">{chat.targets.map((each) => targetTitle(targetOf(each))).join(' · ')}</span>
                <span className="shrink-0 tabular-nums">
                  {plural(chat.turns, 'turn')} · {moment(chat.changed)}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {data?.next_cursor != null && limit < 200 ? (
        <div className="mt-3 text-center">
          <Button size="small" onClick={() => setLimit(200)}>
            Show older
          </Button>
        </div>
      ) : null}
    </Dialog>
  )
}
