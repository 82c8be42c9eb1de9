/** Fetch rows of a data set of the hub: which set, which rows, seen before they are fetched. It goes on when the dialog is closed. */
import { useState, type FormEvent } from 'react'
import { readProblem } from '@/api/errors'
import { useDescribeHubDatasetQuery, type DownloadInfo, type HubDatasetInfo } from '@/api/generated'
import { useTrainWith } from '@/start/data/useTrainWith'
import type { StartPath } from '@/start/page/handoffSlice'
import { DownloadRows } from '@/start/model/DownloadRows'
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { Field } from '@/ui/controls/Field'
import { TextInput } from '@/ui/controls/TextInput'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { CatalogList } from './CatalogList'
import { complete, datasetIdOf, datasetIdProblem, limitProblem, methodOfForm, nameProblem, NOTHING, requestOf, type Choice } from './hubDataset'
import { HubPreview, useHubRows } from './HubPreview'
import { SplitFields } from './SplitFields'
import { useDatasetDownloads } from './useDatasetDownloads'
import { WrittenRows } from './WrittenRows'

type Props = {
  /** The start page that rows for SFT go to. */
  readonly page: StartPath
  readonly onClose: () => void
  readonly onOpen?: (path: string) => void
}

type Asked = { readonly repoId: string; readonly revision: string | undefined }

export function DatasetDialog({ page, onClose, onOpen }: Props) {
  const [text, setText] = useState('')
  const [revision, setRevision] = useState('')
  const [tried, setTried] = useState(false)
  const [asked, setAsked] = useState<Asked | null>(null)
  const [choice, setChoice] = useState<Choice>(NOTHING)
  const described = useDescribeHubDatasetQuery(asked ?? { repoId: '' }, { skip: asked === null })
  const downloads = useDatasetDownloads()
  const train = useTrain(page, onClose)
  const info = asked === null ? null : (described.currentData ?? null)
  const problem = asked === null || described.isFetching ? null : readProblem(described.error)
  const ready = info !== null && limitProblem(choice.limit) === null && nameProblem(choice.name) === null
  const look = (id: string, at: string) => {
    downloads.forgetProblem()
    setChoice(NOTHING)
    setAsked({ repoId: id, revision: at.trim() || undefined })
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (datasetIdProblem(text) === null) look(datasetIdOf(text), revision)
  }
  const change = (part: Partial<Choice>) => {
    downloads.forgetProblem()
    setChoice((before) => ({ ...before, ...part }))
  }
  return (
    <Dialog
      open
      size="wide"
      title="Download a data set"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button
            kind="primary"
            disabled={!ready}
            busy={downloads.starting && 'Asking the hub…'}
            onClick={() => (info ? void downloads.start(requestOf(info, choice)) : undefined)}
          >
            Download
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {downloads.all.length > 0 ? (
          <DownloadRows
            shown={downloads.all}
            downloads={downloads}
            about={(each) => <WrittenRows info={each} onTrain={train} onOpen={onOpen} />}
          />
        ) : null}
        <form className="flex flex-wrap items-start gap-3" onSubmit={submit}>
          <Field
            className="min-w-0 flex-1 basis-60"
            label="Data set"
            help="Its name or address on huggingface.co. Only files of rows are fetched, never code."
            error={tried ? datasetIdProblem(text) : null}
          >
            {(control) => <TextInput {...control} mono value={text} placeholder="openai/gsm8k" onText={setText} />}
          </Field>
          <Field className="min-w-0 basis-32" label="Revision" aside="optional">
            {(control) => <TextInput {...control} mono value={revision} placeholder="main" onText={setRevision} />}
          </Field>
          <Button type="submit" className="mt-[1.6rem]" busy={asked !== null && info === null && described.isFetching && 'Asking the hub…'}>
            Look up
          </Button>
        </form>
        {asked === null ? (
          <CatalogList
            onChoose={(set) => {
              setText(set.repo_id)
              setRevision('')
              look(set.repo_id, '')
            }}
          />
        ) : null}
        {problem ? (
          <ErrorPanel
            message={problem.detail}
            hint={problem.hint}
            action={
              <Button size="small" onClick={() => setAsked(null)}>
                Choose another
              </Button>
            }
          />
        ) : null}
        {info ? <Described info={info} choice={choice} onChange={change} onBack={() => setAsked(null)} /> : null}
        {downloads.problem ? <ErrorPanel message={downloads.problem.detail} hint={downloads.problem.hint} /> : null}
      </div>
    </Dialog>
  )
}

type DescribedProps = {
  readonly info: HubDatasetInfo
  readonly choice: Choice
  readonly onChange: (part: Partial<Choice>) => void
  readonly onBack: () => void
}

function Described({ info, choice, onChange, onBack }: DescribedProps) {
  const chosen = complete(info, choice)
  const rows = useHubRows(info, chosen)
  const seen = rows.currentData?.rows ?? []
  const named = chosen.config?.columns ?? []
  const columns = named.length > 0 ? named : [...new Set(seen.flatMap((row) => Object.keys(row)))]
  return (
    <>
      <div className="flex flex-wrap items-center gap-1.5">
        <span className="min-w-0 font-mono text-small font-medium break-all">{info.repo_id}</span>
        <Badge>licence: {info.license ?? '—'}</Badge>
        {info.gated ? <Badge tone="warn">gated</Badge> : null}
        <Button size="small" kind="ghost" onClick={onBack}>
          Choose another
        </Button>
      </div>
      <SplitFields info={info} choice={choice} chosen={chosen} columns={columns} onChange={onChange} />
      <HubPreview chosen={chosen} rows={rows} />
    </>
  )
}

/** Hands the file to the start page that trains on such rows. */
function useTrain(page: StartPath, onClose: () => void): (info: DownloadInfo) => void {
  const trainWith = useTrainWith()
  return ({ path, written, dataset }) => {
    if (!path) return
    trainWith({ path, method: methodOfForm(dataset?.to ?? asForm(written?.format), page) })
    onClose()
  }
}

function asForm(format: string | undefined): 'grpo' | 'preference' | null {
  return format === 'grpo' || format === 'preference' ? format : null
}
