/** What a run was told to do, field by field, in groups; what differs from the default stands out. */
import { cx } from '@/lib/cx'

export type ConfigRow = {
  readonly name: string
  readonly label: string
  readonly value: string
  readonly changed: boolean
}
export type ConfigGroup = { readonly title: string; readonly rows: readonly ConfigRow[] }

export function ConfigGrid({ groups }: { readonly groups: readonly ConfigGroup[] }) {
  return (
    <div className="gap-x-8 sm:columns-2 xl:columns-3">
      {groups.map((group) => (
        <section key={group.title} className="mb-4 min-w-0">
          <h3 className="mb-1 break-after-avoid text-small font-semibold text-soft">{group.title}</h3>
          <dl>
            {group.rows.map((row) => (
              <div
                key={row.name}
                className="flex items-baseline justify-between gap-4 break-inside-avoid border-b border-line py-1 last:border-0"
              >
                <dt className="shrink-0 text-small text-soft" title={row.name}>
                  {row.label}
                </dt>
                <dd
                  className={cx('min-w-0 truncate text-right text-small', row.changed ? 'font-semibold' : '')}
                  title={row.changed ? `${row.value} (not the default)` : row.value}
                >
                  {row.value}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  )
}
