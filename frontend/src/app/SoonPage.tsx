/** An honest page for what this version does not do yet. */
import { Link } from 'react-router'
import type { PageInfo } from '@/app/pages'
import { EmptyState } from '@/ui/feedback/EmptyState'
import { PageHeader } from '@/ui/PageHeader'

export function SoonPage({ page }: { readonly page: PageInfo }) {
  return (
    <>
      <PageHeader title={page.name} subtitle={page.line} />
      <EmptyState
        icon={page.icon}
        title="Not in this version yet"
        action={
          <Link to="/setup" className="font-medium text-accent underline-offset-2 hover:underline">
            Train an adapter in Setup
          </Link>
        }
      >
        {page.soon}
      </EmptyState>
    </>
  )
}
