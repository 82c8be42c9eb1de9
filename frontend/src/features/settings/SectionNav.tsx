/** The list at the side: leads to a section, and marks the one that is in view. */
import { useEffect, useState } from 'react'
import { cx } from '@/lib/cx'
import { anchorOf, SECTIONS, type SectionId } from './sectionList'

export function SectionNav() {
  const shown = useShownSection()
  const go = (id: SectionId) => {
    const section = document.getElementById(anchorOf(id))
    section?.scrollIntoView?.({ block: 'start', behavior: 'smooth' })
  }
  return (
    <nav aria-label="Sections" className="sticky top-5 hidden w-40 shrink-0 lg:block">
      <ul className="flex flex-col gap-0.5">
        {SECTIONS.map(({ id, name }) => (
          <li key={id}>
            <button
              type="button"
              aria-current={shown === id ? 'location' : undefined}
              onClick={() => go(id)}
              className={cx(
                'w-full rounded-field px-2.5 py-1.5 text-left text-body transition-colors hover:bg-track/60',
                shown === id ? 'bg-track/60 font-medium text-ink' : 'text-soft',
              )}
            >
              {name}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  )
}

/** The uppermost section of which something is in view. */
function useShownSection(): SectionId {
  const [shown, setShown] = useState<SectionId>('general')
  useEffect(() => {
    const page = document.getElementById('main')
    if (!page) return
    const look = () => {
      const top = page.getBoundingClientRect().top + 96
      const passed = SECTIONS.filter(({ id }) => (document.getElementById(anchorOf(id))?.getBoundingClientRect().top ?? Infinity) <= top)
      const atEnd = page.scrollTop > 0 && page.scrollTop + page.clientHeight >= page.scrollHeight - 2
      setShown((atEnd ? SECTIONS.at(-1) : passed.at(-1))?.id ?? 'general')
    }
    page.addEventListener('scroll', look, { passive: true })
    return () => page.removeEventListener('scroll', look)
  }, [])
  return shown
}
