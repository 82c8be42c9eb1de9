/** Above a conversation: begin another, open an earlier one, take this one along or delete it. */
import { Download, MessagesSquare, Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useDispatch } from 'react-redux'
import { readProblem } from '@/api/errors'
import { useDeleteChatMutation } from '@/api/generated'
import { plural } from '@/lib/format'
import { Button } from '@/ui/controls/Button'
import { IconButton } from '@/ui/controls/IconButton'
import { toastRaised } from '@/ui/feedback/toastSlice'
import { saveText } from '@/features/compare/history/exporting'
import { useDeleted } from '@/features/compare/history/useDeleted'
import type { Conversation } from './chat'
import { chatJsonl, chatMarkdown } from './chatExport'
import { ChatListDialog } from './ChatListDialog'

type Props = {
  readonly conversation: Conversation
  readonly busy: boolean
  readonly onNew: () => void
  readonly onOpen: (id: string) => void
}

export function ChatBar({ conversation, busy, onNew, onOpen }: Props) {
  const [listing, setListing] = useState(false)
  const [remove, { isLoading }] = useDeleteChatMutation()
  const deleted = useDeleted()
  const dispatch = useDispatch()
  const { id, turns } = conversation
  const empty = turns.length === 0
  const deleteIt = async () => {
    if (id === null) return
    const { data, error } = await remove({ chatId: id })
    const problem = readProblem(error)
    if (problem) dispatch(toastRaised({ level: 'error', message: problem.detail, hint: problem.hint }))
    if (!data) return
    onNew()
    deleted('Deleted the conversation.', data.undo, () => onOpen(id))
  }
  return (
    <div className="flex flex-wrap items-center gap-1">
      <span className="mr-auto text-small text-soft">{empty ? 'New conversation' : `${plural(turns.length, 'turn')}${conversation.notSaved ? '' : ' · saved on this computer'}`}</span>
      <Button size="small" kind="ghost" disabled={busy || (empty && id === null)} onClick={onNew}>
        <Plus className="size-3.5" aria-hidden="true" />
        New
      </Button>
      <Button size="small" kind="ghost" disabled={busy} onClick={() => setListing(true)}>
        <MessagesSquare className="size-3.5" aria-hidden="true" />
        Conversations…
      </Button>
      <Button size="small" kind="ghost" disabled={empty} onClick={() => void saveText('conversation.md', chatMarkdown(conversation), 'text/markdown')}>
        <Download className="size-3.5" aria-hidden="true" />
        Markdown
      </Button>
      <Button size="small" kind="ghost" disabled={empty} onClick={() => void saveText('conversation.jsonl', chatJsonl(conversation), 'application/x-ndjson')}>
        <Download className="size-3.5" aria-hidden="true" />
        JSONL
      </Button>
      <IconButton icon={Trash2} label="Delete this conversation" disabled={busy || id === null || isLoading} onClick={() => void deleteIt()} />
      <ChatListDialog
        open={listing}
        current={id}
        onClose={() => setListing(false)}
        onOpen={(chosen) => {
          setListing(false)
          onOpen(chosen)
        }}
      />
    </div>
  )
}
