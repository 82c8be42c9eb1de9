/** Tells the form how long the rows of the training file are, so that its length follows them. */
import { useEffect } from 'react'
import type { Inspection } from '@/start/data/examination/useInspection'
import type { StartForm } from '@/start/fields/useStartForm'

export function useLongestRow({ values, measure }: StartForm, { found }: Inspection, counts = true): void {
  const path = String(values.train_data_path).trim()
  const longest = counts ? (found?.lengths?.longest ?? null) : null
  useEffect(() => {
    if (longest !== null) measure({ path, longest })
  }, [path, longest, measure])
}
