/** Files that the server could not read: which, what is wrong, where each was kept. Shown until dismissed. */
import { useEffect } from 'react'
import { useSelector } from 'react-redux'
import { useDismissNoticeMutation, useListNoticesQuery } from '@/api/generated'
import { selectNotices } from '@/api/jobSlice'
import { Button } from '@/ui/controls/Button'
import { Notice } from '@/ui/feedback/Notice'

export function FileNotices() {
  const { data, refetch } = useListNoticesQuery()
  const [dismiss, { isLoading }] = useDismissNoticeMutation()
  const changes = useSelector(selectNotices)
  useEffect(() => {
    if (changes > 0) void refetch()
  }, [changes, refetch])
  if (!data || data.notices.length === 0) return null
  return (
    <section aria-label="Files that could not be read" className="mb-4 flex flex-col gap-2">
      {data.notices.map((notice) => (
        <Notice
          key={notice.id}
          tone="warn"
          title="A file could not be read"
          action={
            <Button size="small" disabled={isLoading} onClick={() => void dismiss({ noticeId: notice.id })}>
              Dismiss
            </Button>
          }
        >
          <p>{notice.message}</p>
          {notice.kept_as === null ? <p>{notice.file}</p> : null}
        </Notice>
      ))}
    </section>
  )
}
