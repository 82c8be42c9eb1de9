/** Where the app writes, and where it looks for base models. */
import { useState, type FormEvent } from 'react'
import { useDispatch } from 'react-redux'
import { api, type ModelsFolder, type SettingsView } from '@/api/generated'
import { bridge } from '@/lib/bridge'
import { plural } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { Card } from '@/ui/Card'
import { Button } from '@/ui/controls/Button'
import { CopyButton } from '@/ui/controls/CopyButton'
import { Field } from '@/ui/controls/Field'
import { LinkButton } from '@/ui/controls/LinkButton'
import { TextInput } from '@/ui/controls/TextInput'
import { Notice } from '@/ui/feedback/Notice'
import { useChange } from '@/features/settings/useChange'

export function FoldersSection({ settings }: { readonly settings: SettingsView }) {
  const { models_dirs: folders, models_dirs_fixed_by: fixed } = settings
  const { change, problem, saving, reset } = useChange()
  const dispatch = useDispatch()
  const [path, setPath] = useState('')
  const chosen = folders.filter(({ removable }) => removable).map((each) => each.path)
  const save = async (next: readonly string[] | null) => {
    const done = await change({ models_dirs: next === null ? null : [...next] })
    if (done) dispatch(api.util.invalidateTags(['models']))
    return done
  }
  const add = async (event: FormEvent) => {
    event.preventDefault()
    if (path.trim() !== '' && (await save([...chosen, path.trim()]))) setPath('')
  }
  const desktop = bridge()
  const browse = async () => {
    const found = await desktop?.openFolder({ title: 'Choose a folder with models' })
    if (found) setPath(found)
  }
  return (
    <Card title="Folders" subtitle="Move the data with --data-dir or DROID_DATA_DIR, while the app is closed">
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-small">
        <Place name="Data" path={settings.folders.data} copied />
        <Place name="Adapters" path={settings.folders.adapters} />
        <Place name="Exports" path={settings.folders.exports} />
        <Place name="Sessions" path={settings.folders.sessions} />
        <Place name="Logs" path={settings.folders.logs} />
      </dl>
      <h3 className="mt-5 mb-1 text-small font-medium text-ink">Searched for models</h3>
      <ul className="flex flex-col divide-y divide-line border-y border-line">
        {folders.map((folder) => (
          <FolderRow
            key={folder.path}
            folder={folder}
            busy={saving}
            onRemove={() => void save(chosen.filter((each) => each !== folder.path))}
          />
        ))}
      </ul>
      {fixed ? (
        <Notice className="mt-3">{fixed} names these folders, so they can’t be changed here.</Notice>
      ) : (
        <form className="mt-4 flex flex-wrap items-start gap-2" onSubmit={(event) => void add(event)}>
          <Field
            label="Add a folder"
            className="flex-1 basis-72"
            error={problem ? `${problem.detail} ${problem.hint ?? ''}` : null}
            help="One that holds model folders, as LM Studio’s or the Hugging Face cache’s do."
            aside={desktop ? <LinkButton onClick={() => void browse()}>Browse…</LinkButton> : undefined}
          >
            {(control) => (
              <TextInput {...control} mono showEnd value={path} placeholder="/path/to/models" onText={(text) => (reset(), setPath(text))} />
            )}
          </Field>
          <Button type="submit" className="sm:mt-6" disabled={path.trim() === ''} busy={saving && 'Adding…'}>
            Add
          </Button>
        </form>
      )}
      {fixed ? null : (
        <p className="mt-2 text-tiny text-faint">
          <LinkButton onClick={() => void save(null)}>Use the folders of other programs</LinkButton> brings back those of LM Studio
          and the Hugging Face cache, where they exist.
        </p>
      )}
    </Card>
  )
}

function Place({ name, path, copied = false }: { readonly name: string; readonly path: string; readonly copied?: boolean }) {
  return (
    <>
      <dt className="text-soft">{name}</dt>
      <dd className="flex min-w-0 flex-wrap items-baseline gap-x-3 font-mono break-all text-ink">
        {path}
        {copied ? <CopyButton text={path} /> : null}
      </dd>
    </>
  )
}

const ORIGINS: Record<ModelsFolder['origin'], string> = {
  own: 'Downloads go here',
  demo: 'Demo',
  found: 'Another program’s',
  added: 'Added',
  given: 'Set at the start',
}

type RowProps = { readonly folder: ModelsFolder; readonly busy: boolean; readonly onRemove: () => void }

function FolderRow({ folder, busy, onRemove }: RowProps) {
  // The app makes its own folder with the first download.
  const missing = !folder.exists && folder.origin !== 'own'
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2">
      <span className="min-w-0 flex-1 basis-64 font-mono text-small break-all text-ink">{folder.path}</span>
      <span className="flex items-center gap-3">
        <Badge tone={missing ? 'warn' : 'neutral'}>{missing ? 'Not there' : ORIGINS[folder.origin]}</Badge>
        <span className="w-18 text-right text-small text-soft tabular-nums">{plural(folder.models, 'model')}</span>
        <span className="w-16 text-right">
          {folder.removable ? (
            <LinkButton className="text-small" disabled={busy} aria-label={`Stop searching ${folder.path}`} onClick={onRemove}>
              Remove
            </LinkButton>
          ) : null}
        </span>
      </span>
    </li>
  )
}
