/** The first rows as they are in the file, column by column. */
import type { DatasetInspection } from '@/api/generated'
import { RowList } from '@/start/data/RowList'
import { plural } from '@/lib/format'
import { Card } from '@/ui/Card'

export function FirstRows({ found }: { readonly found: DatasetInspection }) {
  if (found.sample.length === 0) return null
  return (
    <Card title="First rows" subtitle={`${plural(found.columns.length, 'column')}: ${found.columns.join(', ')}`}>
      <RowList rows={found.sample} />
    </Card>
  )
}
