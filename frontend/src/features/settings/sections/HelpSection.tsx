/** A bundle for whoever helps, and which version this is. */
import { useState } from 'react'
import type { Problem } from '@/api/errors'
import { saveAnswer } from '@/api/saveAnswer'
import { TroubleshootingDialog } from '@/features/settings/TroubleshootingDialog'
import { Card } from '@/ui/Card'
import { Button } from '@/ui/controls/Button'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'

export function HelpSection({ version }: { readonly version: string }) {
  const [saving, setSaving] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [guide, setGuide] = useState(false)
  const save = async () => {
    setSaving(true)
    setProblem(await saveAnswer('diagnostics', 'droid-diagnostics.zip'))
    setSaving(false)
  }
  return (
    <Card title="Help and about">
      <div className="mb-5 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 flex-1 basis-72">
          <h3 className="text-small font-medium text-ink">Troubleshooting</h3>
          <p className="mt-0.5 text-small text-soft">The errors that users meet, each with its cause and what to do, and what each page is for.</p>
        </div>
        <Button onClick={() => setGuide(true)}>Open the guide</Button>
      </div>
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 flex-1 basis-72">
          <h3 className="text-small font-medium text-ink">Diagnostics</h3>
          <p className="mt-0.5 text-small text-soft">
            Versions, these settings, the ends of the logs and the last three runs, as a zip. No tokens, keys, rows, weights or notes;
            your folder is shortened to ~. Look through it before you give it to somebody.
          </p>
        </div>
        <Button busy={saving && 'Collecting…'} onClick={() => void save()}>
          Save diagnostics
        </Button>
      </div>
      {problem ? <ErrorPanel className="mt-3" message={problem.detail} hint={problem.hint} /> : null}
      {guide ? (
        <TroubleshootingDialog onClose={() => setGuide(false)} />
      ) : null}
      <p className="mt-5 border-t border-line pt-3 text-small text-soft">Droid FineTuning {version}</p>
    </Card>
  )
}
