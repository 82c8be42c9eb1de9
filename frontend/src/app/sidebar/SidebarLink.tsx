import { useSelector } from 'react-redux'
import { NavLink } from 'react-router'
import { selectIsLive } from '@/run/reducer/runSlice'
import type { PageInfo } from '@/app/pages'
import { cx } from '@/lib/cx'
import { LiveDot } from '@/ui/feedback/LiveDot'

type Props = { readonly page: PageInfo; readonly folded: boolean }

/** A page's entry; Training pulses while a run lives. */
export function SidebarLink({ page, folded }: Props) {
  const live = useSelector(selectIsLive) && page.path === '/training'
  const { icon: Icon, name, line } = page
  return (
    <li>
      <NavLink
        to={page.path}
        title={folded ? name : undefined}
        className={({ isActive }) =>
          cx(
            'flex items-center gap-2.5 rounded-field border px-2.5 py-1 transition-colors',
            isActive
              ? 'border-line bg-raised text-ink'
              : 'border-transparent text-soft hover:bg-track/50 hover:text-ink',
            folded && 'h-9 justify-center px-0',
          )
        }
      >
        <span className="relative">
          <Icon className="size-4" strokeWidth={1.75} aria-hidden="true" />
          {live && folded ? <LiveDot className="absolute -top-1 -right-1" /> : null}
        </span>
        <span className={folded ? 'sr-only' : 'flex min-w-0 flex-1 flex-col'}>
          <span className="truncate font-medium">{name}</span>
          <span className="truncate text-tiny text-faint">{line}</span>
        </span>
        {live && !folded ? <LiveDot /> : null}
      </NavLink>
    </li>
  )
}
