/** What surrounds every page: sidebar or bottom bar, status bar, messages. */
import { lazy, Suspense, useLayoutEffect, useRef } from 'react'
import { Outlet, useLocation } from 'react-router'
import { BottomBar } from '@/app/sidebar/BottomBar'
import { DiskNotice } from '@/app/DiskNotice'
import { FileNotices } from '@/app/FileNotices'
import { Sidebar } from '@/app/sidebar/Sidebar'
import { StatusBar } from '@/app/StatusBar'
import { useLiveRun } from '@/app/useLiveRun'
import { useSavedTheme } from '@/app/useSavedTheme'
import { useShownRun } from '@/app/useShownRun'
import { useRunNews } from '@/app/news/useRunNews'
import { useFind } from '@/app/palette/useFind'
import { useMenu } from '@/app/useMenu'
import { ShortcutSheet } from '@/app/palette/ShortcutSheet'
import { usePalette } from '@/app/palette/usePalette'
import { useWaitingEvaluation } from '@/features/compare/waiting/useWaitingEvaluation'
import { ResumeDialog } from '@/features/resume/ResumeDialog'
import { Toasts } from '@/ui/feedback/Toasts'

// Few need it at once, so it is no part of the first load.
const CommandPalette = lazy(async () => ({ default: (await import('@/app/palette/CommandPalette')).CommandPalette }))

export function Shell() {
  useLiveRun()
  useSavedTheme()
  useShownRun()
  useRunNews()
  useWaitingEvaluation()
  useMenu()
  const palette = usePalette()
  useFind(palette.show)
  const main = useRef<HTMLElement>(null)
  const { pathname } = useLocation()
  useLayoutEffect(() => {
    // The page scrolls, not the window, so a new page starts at its top only if told to.
    if (main.current) main.current.scrollTop = 0
  }, [pathname])
  return (
    <div className="flex h-dvh flex-col overflow-hidden">
      <a
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          document.getElementById('main')?.focus()
        }}
        className="absolute top-2 left-2 z-50 -translate-y-16 rounded-field bg-accent px-3 py-1.5 text-on-accent focus:translate-y-0"
      >
        Skip to the page
      </a>
      <div className="flex min-h-0 flex-1">
        <Sidebar onFind={palette.show} />
        <main ref={main} id="main" tabIndex={-1} className="relative min-w-0 flex-1 overflow-y-auto outline-none">
          <div className="mx-auto flex min-h-full w-full max-w-360 flex-col px-4 py-4 md:px-7 md:py-5">
            <DiskNotice />
            <FileNotices />
            <Outlet />
          </div>
        </main>
      </div>
      <StatusBar />
      <BottomBar />
      <ResumeDialog />
      {palette.open ? (
        <Suspense>
          <CommandPalette onClose={palette.hide} onShortcuts={palette.showSheet} />
        </Suspense>
      ) : null}
      {palette.sheet ? <ShortcutSheet onClose={palette.hideSheet} /> : null}
      <Toasts />
    </div>
  )
}
