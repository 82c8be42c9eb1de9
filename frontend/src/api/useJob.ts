/** A job as the event stream tells of it; `again` asks for what no frame has, and must stay the same. */
import { useEffect } from 'react'
import { useSelector } from 'react-redux'
import { selectJob, selectSnapshots, type JobSliceState, type JobView } from '@/api/jobSlice'

export function useJob(id: string | null, again: () => void): JobView | null {
  const told = useSelector((state: { readonly jobs: JobSliceState }) => selectJob(state, id))
  const snapshots = useSelector(selectSnapshots)
  const over = told?.over === true
  useEffect(() => {
    // Its end was told, or frames may have been missed while the connection was down.
    if (over || snapshots > 0) again()
  }, [over, snapshots, again])
  return told
}
