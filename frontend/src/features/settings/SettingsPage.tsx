/** Everything that can be set, in sections. Wide windows have a list of them at the side. */
import { useEffect, type ReactNode } from 'react'
import { useSearchParams } from 'react-router'
import { readProblem } from '@/api/errors'
import { useReadSettingsQuery, type SettingsView } from '@/api/generated'
import { PageHeader } from '@/ui/PageHeader'
import { RetryPanel } from '@/ui/feedback/RetryPanel'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { ApiSection } from './sections/ApiSection'
import { DefaultsSection } from './sections/DefaultsSection'
import { EnginesSection } from './sections/EnginesSection'
import { FoldersSection } from './sections/FoldersSection'
import { GeneralSection } from './sections/GeneralSection'
import { HelpSection } from './sections/HelpSection'
import { MessagesSection } from './sections/MessagesSection'
import { PrivacySection } from './sections/PrivacySection'
import { ServicesSection } from './sections/ServicesSection'
import { SectionNav } from './SectionNav'
import { anchorOf, SECTIONS, type SectionId } from './sectionList'

const CONTENT: Record<SectionId, (settings: SettingsView) => ReactNode> = {
  general: (settings) => <GeneralSection settings={settings} />,
  folders: (settings) => <FoldersSection settings={settings} />,
  defaults: (settings) => <DefaultsSection saved={settings.run_defaults} />,
  engines: ({ engines }) => <EnginesSection engines={engines} />,
  services: (settings) => <ServicesSection settings={settings} />,
  messages: ({ messages }) => <MessagesSection messages={messages} />,
  api: ({ api }) => <ApiSection access={api} />,
  privacy: ({ connections }) => <PrivacySection connections={connections} />,
  help: ({ version }) => <HelpSection version={version} />,
}

export function SettingsPage() {
  const { data, error, isFetching, refetch } = useReadSettingsQuery(undefined, { refetchOnMountOrArgChange: true })
  const problem = readProblem(error)
  const [params] = useSearchParams()
  const at = params.get('at')
  const loaded = data !== undefined
  useEffect(() => {
    const section = SECTIONS.find(({ id }) => id === at)
    if (loaded && section) document.getElementById(anchorOf(section.id))?.scrollIntoView?.({ block: 'start' })
  }, [at, loaded])
  return (
    <>
      <PageHeader title="Settings" subtitle="Of this app on this computer" />
      {problem && !data ? (
        <RetryPanel problem={problem} retrying={isFetching} onRetry={() => void refetch()} />
      ) : (
        <div className="flex items-start gap-8">
          <SectionNav />
          <div className="flex min-w-0 max-w-3xl flex-1 flex-col gap-4">
            {data ? SECTIONS.map(({ id }) => <div key={id} id={anchorOf(id)} className="scroll-mt-4">{CONTENT[id](data)}</div>) : <Waiting />}
          </div>
        </div>
      )}
    </>
  )
}

function Waiting() {
  return (
    <>
      <span className="sr-only">Loading the settings…</span>
      <Skeleton className="h-48 rounded-card" />
      <Skeleton className="h-64 rounded-card" />
      <Skeleton className="h-64 rounded-card" />
    </>
  )
}
