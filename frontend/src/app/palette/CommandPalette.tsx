/** Cmd-K or Ctrl-K: every action, page, run and the theme by typing a few letters of its name. */
import { Command } from 'cmdk'
import { Monitor, Moon, Sun, type LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { useNavigate } from 'react-router'
import { useListSessionsQuery } from '@/api/generated'
import { MAIN_PAGES, SIDE_PAGES } from '@/app/pages'
import { usePaletteActions } from './usePaletteActions'
import { moment } from '@/lib/format'
import { chooseTheme, type Theme } from '@/lib/theme'
import { Dialog } from '@/ui/Dialog'

const PAGES = [...MAIN_PAGES, ...SIDE_PAGES].filter((page) => page.soon === undefined)
const MOST_RUNS = 50
const THEMES: readonly { readonly theme: Theme; readonly name: string; readonly icon: LucideIcon }[] = [
  { theme: 'light', name: 'Light theme', icon: Sun },
  { theme: 'dark', name: 'Dark theme', icon: Moon },
  { theme: 'system', name: 'System theme', icon: Monitor },
]

/** Every word typed is somewhere in the name; what begins with it comes first. */
function rank(name: string, typed: string): number {
  const [all, wanted] = [name.toLowerCase(), typed.toLowerCase().trim()]
  if (!wanted.split(/\s+/).every((word) => all.includes(word))) return 0
  return all.startsWith(wanted) ? 1 : 0.5
}

type Props = { readonly onClose: () => void; readonly onShortcuts: () => void }

export function CommandPalette({ onClose, onShortcuts }: Props) {
  const navigate = useNavigate()
  const { data } = useListSessionsQuery({ limit: MOST_RUNS })
  const runs = data?.sessions ?? []
  const actions = usePaletteActions(runs, onShortcuts)
  const go = (path: string) => {
    onClose()
    void navigate(path)
  }
  return (
    <Dialog open title="Search" onClose={onClose}>
      <Command label="Actions, pages, runs and settings" filter={rank} loop>
        <Command.Input
          data-first-focus
          placeholder="Search actions, pages and runs…"
          className="mb-2 w-full rounded-field border border-line bg-sunken px-3 py-2 text-body text-ink placeholder:text-faint"
        />
        <Command.List className="max-h-80 overflow-y-auto">
          <Command.Empty className="px-2 py-6 text-center text-soft">No results</Command.Empty>
          <Group name="Actions">
            {actions.map(({ name, words, note, icon, act }) => (
              <Item
                key={name}
                value={[name, words].filter(Boolean).join(' ')}
                icon={icon}
                note={note}
                onChosen={() => {
                  onClose()
                  act()
                }}
              >
                {name}
              </Item>
            ))}
          </Group>
          <Group name="Pages">
            {PAGES.map(({ path, name, line, icon }) => (
              <Item key={path} value={`${name} ${line}`} icon={icon} note={line} onChosen={() => go(path)}>
                {name}
              </Item>
            ))}
          </Group>
          {runs.length === 0 ? null : (
            <Group name="Runs">
              {runs.map(({ session_id: id, adapter_name, model_name, method, timestamp }) => (
                <Item
                  key={id}
                  value={[adapter_name, model_name, method, id].filter(Boolean).join(' ')}
                  note={timestamp ? moment(timestamp) : undefined}
                  onChosen={() => go(`/results/${encodeURIComponent(id)}`)}
                >
                  {adapter_name ?? id}
                </Item>
              ))}
            </Group>
          )}
          <Group name="Look">
            {THEMES.map(({ theme, name, icon }) => (
              <Item
                key={theme}
                value={name}
                icon={icon}
                onChosen={() => {
                  chooseTheme(theme)
                  onClose()
                }}
              >
                {name}
              </Item>
            ))}
          </Group>
        </Command.List>
      </Command>
    </Dialog>
  )
}

function Group({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <Command.Group
      heading={name}
      className="[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-tiny [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-faint"
    >
      {children}
    </Command.Group>
  )
}

type ItemProps = {
  readonly value: string
  readonly icon?: LucideIcon
  readonly note?: string | undefined
  readonly onChosen: () => void
  readonly children: ReactNode
}

function Item({ value, icon: Icon, note, onChosen, children }: ItemProps) {
  return (
    <Command.Item
      value={value}
      onSelect={onChosen}
      className="flex cursor-pointer items-center gap-3 rounded-field px-2 py-1.5 text-ink data-[selected=true]:bg-sunken"
    >
      {Icon ? <Icon className="size-4 shrink-0 text-soft" strokeWidth={1.75} aria-hidden="true" /> : null}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {note ? <span className="shrink-0 text-tiny text-faint">{note}</span> : null}
    </Command.Item>
  )
}
