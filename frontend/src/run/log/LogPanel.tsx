/** A log with search, levels, follow and export. The search is plain text, never a pattern. */
import { ArrowDownToLine, Download } from 'lucide-react'
import { useDeferredValue, useMemo, useState, type ReactNode } from 'react'
import { saveFile, safeFileName } from '@/lib/download'
import { count, plural } from '@/lib/format'
import { filterLines, type LogBook, type LogLevel } from './logBook'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { LogList } from './LogList'
import { Segmented } from '@/ui/controls/Segmented'
import { TextInput } from '@/ui/controls/TextInput'
import { useVersion } from '@/ui/chart/useVersion'

type Props = {
  readonly book: LogBook
  /** Name of the run, for the exported file. */
  readonly name: string
  /** A run still writes: follow its end. */
  readonly live: boolean
  /** Stands above the lines, for example a button for older ones. */
  readonly above?: ReactNode
  readonly empty?: string
}

type Shown = 'all' | 'warnings' | 'errors'

const LEVELS: Record<Shown, ReadonlySet<LogLevel>> = {
  all: new Set<LogLevel>(['info', 'warning', 'error']),
  warnings: new Set<LogLevel>(['warning', 'error']),
  errors: new Set<LogLevel>(['error']),
}
const HEIGHT = 260

export function LogPanel({ book, name, live, above, empty = 'No lines yet.' }: Props) {
  const version = useVersion(book)
  const [search, setSearch] = useState('')
  const [shown, setShown] = useState<Shown>('all')
  const [follow, setFollow] = useState(live)
  const text = useDeferredValue(search)
  // `version` stands for the book's content, which changes in place.
  const all = useMemo(() => ({ version, lines: book.lines() }).lines, [book, version])
  const lines = useMemo(() => filterLines(all, { text, levels: LEVELS[shown] }), [all, text, shown])

  return (
    <Card
      title="Log"
      subtitle={<span aria-live="polite">{countOf(lines.length, all.length, book.dropped)}</span>}
      actions={
        <>
          <TextInput
            value={search}
            onText={setSearch}
            type="search"
            placeholder="Search"
            aria-label="Search the log"
            className="w-44"
          />
          <Segmented
            label="Lines shown"
            value={shown}
            choices={[
              { value: 'all', label: 'All' },
              { value: 'warnings', label: 'Warnings' },
              { value: 'errors', label: 'Errors' },
            ]}
            onChoose={setShown}
          />
          <Button
            size="small"
            kind="ghost"
            aria-pressed={follow}
            className="aria-pressed:bg-accent-wash aria-pressed:text-accent"
            onClick={() => setFollow(!follow)}
          >
            <ArrowDownToLine className="size-3.5" aria-hidden="true" />
            Follow
          </Button>
          <Button
            size="small"
            kind="ghost"
            disabled={all.length === 0}
            onClick={() => saveFile(`${safeFileName(name)}.log`, `${all.map((line) => line.text).join('\n')}\n`)}
          >
            <Download className="size-3.5" aria-hidden="true" />
            Export
          </Button>
        </>
      }
    >
      {above}
      {lines.length > 0 ? (
        <LogList lines={lines} search={text} follow={follow} onFollow={setFollow} height={HEIGHT} />
      ) : (
        <p className="flex items-center justify-center text-small text-soft" style={{ height: HEIGHT }}>
          {all.length === 0 ? empty : search.trim() === '' ? 'No lines at this level.' : `No line contains “${search.trim()}”.`}
        </p>
      )}
    </Card>
  )
}

function countOf(shown: number, held: number, dropped: number): string {
  const lines = shown === held ? plural(held, 'line') : `${count(shown)} of ${plural(held, 'line')}`
  return dropped > 0 ? `${lines} · ${count(dropped)} older ones are in the run’s train.log` : lines
}
