/** Pages by name, icon and one line. It folds to icons, and remembers that. */
import { PanelLeftClose, PanelLeftOpen, Search } from 'lucide-react'
import { useEffect, useEffectEvent, useState } from 'react'
import { MAIN_PAGES, SIDE_PAGES } from '@/app/pages'
import { SidebarLink } from './SidebarLink'
import { ThemeButton } from '@/app/ThemeButton'
import { paletteKeys } from '@/app/palette/usePalette'
import { bridge } from '@/lib/bridge'
import { cx } from '@/lib/cx'
import { readStored, writeStored } from '@/lib/storage'
import { IconButton } from '@/ui/controls/IconButton'
import { Mark } from '@/ui/Mark'

const KEY = 'droid.sidebar'

export function Sidebar({ onFind }: { readonly onFind: () => void }) {
  const [folded, setFolded] = useState(() => readStored(KEY, (value) => value === 'folded') ?? false)
  const fold = () => {
    writeStored(KEY, folded ? 'open' : 'folded')
    setFolded(!folded)
  }
  const onToggle = useEffectEvent(fold)
  useEffect(() => bridge()?.onMenu((command) => (command === 'toggle-sidebar' ? onToggle() : undefined)), [])
  return (
    <nav
      aria-label="Pages"
      className={cx(
        'hidden shrink-0 flex-col border-r border-line bg-sidebar pt-8 pb-2 md:flex',
        folded ? 'w-15' : 'w-54',
      )}
    >
      <div className={cx('mb-3 flex h-8 items-center gap-2.5', folded ? 'justify-center' : 'px-4')}>
        <Mark className="size-5.5 shrink-0" />
        {folded ? null : <span className="text-lead font-semibold text-ink">Droid FineTuning</span>}
      </div>
      <ul className="flex flex-col gap-0.5 px-2">
        {MAIN_PAGES.map((page) => (
          <SidebarLink key={page.path} page={page} folded={folded} />
        ))}
      </ul>
      <hr className="mx-4 my-3 border-line" />
      <ul className="flex flex-col gap-0.5 px-2">
        {SIDE_PAGES.map((page) => (
          <SidebarLink key={page.path} page={page} folded={folded} />
        ))}
      </ul>
      <div className={cx('mt-auto flex gap-1 px-2.5', folded ? 'flex-col items-center' : 'justify-between')}>
        <ThemeButton />
        <IconButton icon={Search} label={`Search actions, pages and runs (${paletteKeys()})`} onClick={onFind} />
        <IconButton
          icon={folded ? PanelLeftOpen : PanelLeftClose}
          label={folded ? 'Expand sidebar' : 'Collapse sidebar'}
          aria-expanded={!folded}
          onClick={fold}
        />
      </div>
    </nav>
  )
}
