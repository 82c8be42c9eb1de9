/** The two services that the user may name: the model hub's token, and a judge for evaluations. */
import { useState, type FormEvent } from 'react'
import { useDispatch } from 'react-redux'
import { api, type SettingsPatch, type SettingsView } from '@/api/generated'
import { Card } from '@/ui/Card'
import { Button } from '@/ui/controls/Button'
import { Field } from '@/ui/controls/Field'
import { TextInput } from '@/ui/controls/TextInput'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'
import { SecretField } from './SecretField'
import { useChange } from '@/features/settings/useChange'
import { useSecret } from './useSecret'

export function ServicesSection({ settings: { hub, judge } }: { readonly settings: SettingsView }) {
  const token = useSecret('hub_token')
  const key = useSecret('judge_key')
  const [edits, setEdits] = useState<{ readonly url?: string; readonly model?: string }>({})
  const { change, saving, problem } = useChange()
  const dispatch = useDispatch()
  const url = edits.url ?? judge.url ?? ''
  const model = edits.model ?? judge.model ?? ''
  const save = async (patch: SettingsPatch) => {
    const done = await change(patch)
    // Pages that were told “no judge” or “no token” look again.
    if (done) dispatch(api.util.invalidateTags(['evaluation', 'exports']))
    return done
  }
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const judged = { judge_url: url.trim() || null, judge_model: model.trim() || null, ...key.patch }
    if (await save({ ...(judge.fixed_by ? {} : judged), ...(hub.fixed_by ? {} : token.patch) })) {
      setEdits({})
      token.clear()
      key.clear()
    }
  }
  const changed = edits.url !== undefined || edits.model !== undefined || token.text !== '' || key.text !== ''
  return (
    <Card title="Hub and judge" subtitle="Tokens and keys are kept in a file that only you can read, and are never shown again">
      <form className="flex flex-col gap-4" onSubmit={(event) => void submit(event)}>
        <SecretField
          label="Hugging Face token"
          help={`For gated models and for uploads, at ${hub.endpoint}.`}
          saved={hub.token_saved}
          fixed={hub.fixed_by}
          secret={token}
          onForget={() => void save({ hub_token: null })}
        />
        <div className="grid gap-4 border-t border-line pt-4 sm:grid-cols-2">
          <Field label="Judge’s address" error={problem?.fields['judge_url']} help="Any service that speaks OpenAI’s protocol.">
            {(control) => (
              <TextInput {...control} mono disabled={judge.fixed_by !== null} value={url} placeholder="https://host/v1" onText={(text) => setEdits({ ...edits, url: text })} />
            )}
          </Field>
          <Field label="Judge’s model" help="As that service names it.">
            {(control) => (
              <TextInput {...control} mono disabled={judge.fixed_by !== null} value={model} onText={(text) => setEdits({ ...edits, model: text })} />
            )}
          </Field>
        </div>
        <SecretField
          label="Judge’s key"
          help="Given to the evaluation’s process alone."
          saved={judge.key_saved}
          fixed={judge.fixed_by}
          secret={key}
          onForget={() => void save({ judge_key: null })}
        />
        {judge.fixed_by ? <Notice>{judge.fixed_by} sets the judge, so it can’t be changed here.</Notice> : null}
        {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
        <div>
          <Button type="submit" disabled={!changed} busy={saving && 'Saving…'}>
            Save
          </Button>
        </div>
      </form>
    </Card>
  )
}
