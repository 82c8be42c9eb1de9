/** Well-known data sets by topic: what each is, and its licence as far as it is known. */
import { useState } from 'react'
import { useDatasetCatalogQuery, type KnownSet } from '@/api/generated'
import { compact } from '@/lib/format'
import { formName } from '@/start/data/dataForms'
import { Segmented } from '@/ui/controls/Segmented'
import { TOPICS } from './hubDataset'

const ORDER: readonly KnownSet['topic'][] = ['mathematics', 'reasoning', 'finance', 'preference']

export function CatalogList({ onChoose }: { readonly onChoose: (set: KnownSet) => void }) {
  const { data } = useDatasetCatalogQuery()
  const [topic, setTopic] = useState<KnownSet['topic']>('mathematics')
  const sets = data?.datasets.filter((each) => each.topic === topic) ?? []
  return (
    <section aria-label="Well-known data sets">
      <Segmented label="Topic" value={topic} choices={ORDER.map((value) => ({ value, label: TOPICS[value] }))} onChoose={setTopic} />
      <ul className="mt-2 flex flex-col gap-1">
        {sets.map((set) => (
          <li key={set.repo_id}>
            <button
              type="button"
              onClick={() => onChoose(set)}
              className="flex w-full flex-wrap items-baseline justify-between gap-x-3 rounded-field px-2.5 py-1.5 text-left transition-colors hover:bg-sunken"
            >
              <span className="min-w-0 font-mono text-small break-all">{set.repo_id}</span>
              <span className="text-small text-soft">
                {set.rows === null ? 'rows: —' : `${compact(set.rows)} rows`} · licence: {set.license ?? '—'}
              </span>
              <span className="w-full text-small text-soft">{set.forms.map(({ to }) => formName(to)).join(', ')}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
