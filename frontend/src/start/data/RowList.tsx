/** Rows as they are in a file, column by column. */
type Props = { readonly rows: readonly Readonly<Record<string, unknown>>[]; readonly label?: string }

export function RowList({ rows, label }: Props) {
  return (
    <ol aria-label={label} className="flex flex-col gap-2">
      {rows.map((row, index) => (
        <li key={index} className="rounded-field bg-sunken px-3 py-2">
          <dl className="flex flex-col gap-1">
            {Object.entries(row).map(([column, value]) => (
              <div key={column} className="grid grid-cols-1 gap-x-3 sm:grid-cols-[8rem_minmax(0,1fr)]">
                <dt className="truncate font-mono text-small text-soft" title={column}>
                  {column}
                </dt>
                <dd className="max-h-32 overflow-y-auto font-mono text-small break-words whitespace-pre-wrap text-ink">
                  <Value value={value} />
                </dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ol>
  )
}

function Value({ value }: { readonly value: unknown }) {
  if (!isTurns(value)) return typeof value === 'string' ? value : JSON.stringify(value, null, 1)
  return (
    <ul className="flex flex-col gap-0.5">
      {value.map((turn, index) => (
        <li key={index}>
          <span className="text-accent">{turn.role}</span> {turn.content}
        </li>
      ))}
    </ul>
  )
}

type Turn = { readonly role: string; readonly content: string }

function isTurns(value: unknown): value is readonly Turn[] {
  return Array.isArray(value) && value.length > 0 && value.every(isTurn)
}

function isTurn(value: unknown): value is Turn {
  if (typeof value !== 'object' || value === null) return false
  const { role, content } = value as Record<string, unknown>
  return typeof role === 'string' && typeof content === 'string'
}
