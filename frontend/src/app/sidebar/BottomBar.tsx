/** The sidebar's place on a narrow screen: the main pages, and the rest behind More. */
import { Ellipsis } from 'lucide-react'
import { useState } from 'react'
import { useSelector } from 'react-redux'
import { NavLink } from 'react-router'
import { isLive } from '@/run/reducer/runReducer'
import { progressOf, selectConnection, selectIsLive, selectRun } from '@/run/reducer/runSlice'
import { MAIN_PAGES, SIDE_PAGES, type PageInfo } from '@/app/pages'
import { cx } from '@/lib/cx'
import { chooseTheme, useTheme, type Theme } from '@/lib/theme'
import { Dialog } from '@/ui/Dialog'
import { LiveDot } from '@/ui/feedback/LiveDot'
import { Segmented } from '@/ui/controls/Segmented'

/** As many as fit in one line of words at 360 px, beside More. */
const MOST = 5
const SHOWN = MAIN_PAGES.slice(0, MOST)
const REST = [...MAIN_PAGES.slice(MOST), ...SIDE_PAGES]
const ITEM =
  'flex min-w-0 flex-1 flex-col items-center justify-center gap-0.5 rounded-field py-1.5 text-tiny font-medium whitespace-nowrap short:flex-row short:gap-1.5 short:py-1'
const THEMES: readonly { readonly value: Theme; readonly label: string }[] = [
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
  { value: 'system', label: 'System' },
]

export function BottomBar() {
  const [more, setMore] = useState(false)
  const theme = useTheme()
  return (
    <nav aria-label="Pages" className="flex border-t border-line bg-sidebar px-2 pb-[env(safe-area-inset-bottom)] md:hidden">
      <ShortStatus />
      {SHOWN.map((page) => (
        <BarLink key={page.path} page={page} />
      ))}
      <button type="button" className={cx(ITEM, 'text-soft')} onClick={() => setMore(true)}>
        <Ellipsis className="size-4.5" strokeWidth={1.75} aria-hidden="true" />
        More
      </button>
      <Dialog open={more} title="More" onClose={() => setMore(false)} sheet>
        <ul className="mb-4 flex flex-col">
          {REST.map((page) => (
            <li key={page.path}>
              <NavLink
                to={page.path}
                onClick={() => setMore(false)}
                className="flex items-center gap-3 rounded-field px-2 py-2 text-ink hover:bg-sunken"
              >
                <page.icon className="size-4 text-soft" strokeWidth={1.75} aria-hidden="true" />
                <span className="flex-1">{page.name}</span>
                {page.soon === undefined ? null : <span className="text-tiny text-faint">soon</span>}
              </NavLink>
            </li>
          ))}
        </ul>
        <Segmented label="Theme" value={theme} choices={THEMES} onChoose={chooseTheme} />
      </Dialog>
    </nav>
  )
}

/** In a short window the status bar's place is here: the connection, and how far a run is. */
function ShortStatus() {
  const connection = useSelector(selectConnection)
  const run = useSelector(selectRun)
  const { fraction } = progressOf(run)
  const share = isLive(run.state) && fraction !== null ? `${Math.floor(fraction * 100)} %` : null
  return (
    <span className="hidden shrink-0 items-center gap-2 px-2 text-tiny text-soft short:flex">
      <span
        title={connection === 'connected' ? 'Connected' : 'Reconnecting…'}
        className={cx('size-2 rounded-full bg-current', connection === 'connected' ? 'text-good' : 'text-warn')}
      />
      {share}
    </span>
  )
}

function BarLink({ page }: { readonly page: PageInfo }) {
  const live = useSelector(selectIsLive) && page.path === '/training'
  return (
    <NavLink to={page.path} {...(page.short ? { 'aria-label': page.name } : {})} className={({ isActive }) => cx(ITEM, isActive ? 'text-accent' : 'text-soft')}>
      <span className="relative">
        <page.icon className="size-4.5" strokeWidth={1.75} aria-hidden="true" />
        {live ? <LiveDot className="absolute -top-0.5 -right-2" /> : null}
      </span>
      {page.short ?? page.name}
    </NavLink>
  )
}
