/** What was taken from each adapter. A table on wide screens, a list on narrow ones. */
import type { SourceShare } from '@/api/generated'
import { compact, count } from '@/lib/format'
import { Cell, HeadCell, Row, Table } from '@/ui/Table'

const COLUMNS: readonly { readonly name: string; readonly value: (source: SourceShare) => string }[] = [
  { name: 'Weight', value: ({ weight }) => weight.toFixed(3) },
  { name: 'Rank', value: ({ rank }) => count(rank) },
  { name: 'Scale', value: ({ scale }) => compact(scale) },
  { name: 'Layers', value: ({ layers }) => count(layers) },
  { name: 'Matrices', value: ({ matrices }) => count(matrices) },
  { name: 'Norm', value: ({ norm }) => compact(norm) },
  { name: 'Cosine', value: ({ cosine }) => compact(cosine).replace('-', '−') },
]

export function SourceTable({ sources }: { readonly sources: readonly SourceShare[] }) {
  return (
    <>
      <Table caption="What was taken from each adapter" className="hidden md:block">
        <thead>
          <Row>
            <HeadCell className="pl-0">Adapter</HeadCell>
            {COLUMNS.map(({ name }) => (
              <HeadCell key={name} className="text-right">
                {name}
              </HeadCell>
            ))}
          </Row>
        </thead>
        <tbody>
          {sources.map((source) => (
            <Row key={source.name}>
              <th scope="row" className="py-2 pr-3 text-left font-medium break-all">
                {source.name}
                <span className="block text-tiny font-normal text-faint">{checkpointWords(source.checkpoint)}</span>
              </th>
              {COLUMNS.map(({ name, value }) => (
                <Cell key={name} className="text-right">
                  {value(source)}
                </Cell>
              ))}
            </Row>
          ))}
        </tbody>
      </Table>
      <ul className="flex flex-col gap-3 md:hidden" aria-label="What was taken from each adapter">
        {sources.map((source) => (
          <li key={source.name} className="border-b border-line pb-3 last:border-0 last:pb-0">
            <p className="font-medium break-all">
              {source.name} <span className="text-small font-normal text-faint">{checkpointWords(source.checkpoint)}</span>
            </p>
            <dl className="mt-1 grid grid-cols-3 gap-x-4 gap-y-1 text-small">
              {COLUMNS.map(({ name, value }) => (
                <div key={name}>
                  <dt className="text-soft">{name}</dt>
                  <dd>{value(source)}</dd>
                </div>
              ))}
            </dl>
          </li>
        ))}
      </ul>
      <p className="mt-2 text-small text-faint">
        Norm: the size of the adapter’s whole change, without its weight. Cosine: how far the result points its way; 1 is the same
        direction, 0 none of it.
      </p>
    </>
  )
}

function checkpointWords(checkpoint: string): string {
  return /^\d+$/.test(checkpoint) ? `iteration ${count(Number(checkpoint))}` : checkpoint
}
