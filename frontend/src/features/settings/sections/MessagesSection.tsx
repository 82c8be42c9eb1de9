/** Services of the user that are told when a run or a job has ended: a webhook, a topic of ntfy. */
import type { FormEvent } from 'react'
import { readProblem } from '@/api/errors'
import { useTestMessagesMutation, type MessageTest, type SettingsView } from '@/api/generated'
import { useChange } from '@/features/settings/useChange'
import { Card } from '@/ui/Card'
import { Button } from '@/ui/controls/Button'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'
import { SecretField } from './SecretField'
import { useSecret } from './useSecret'

export function MessagesSection({ messages }: { readonly messages: SettingsView['messages'] }) {
  const webhook = useSecret('webhook_url')
  const ntfy = useSecret('ntfy_url')
  const { change, saving, problem } = useChange()
  const [send, test] = useTestMessagesMutation()
  const { webhook_host, ntfy_host } = messages
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (!(await change({ ...webhook.patch, ...ntfy.patch }))) return
    webhook.clear()
    ntfy.clear()
    test.reset()
  }
  const changed = webhook.text !== '' || ntfy.text !== ''
  const refusal = problem ?? readProblem(test.error)
  return (
    <Card title="Messages" subtitle="Sent when a run or a job ends, also while no page is open; not when you stopped it">
      <form className="flex flex-col gap-4" onSubmit={(event) => void submit(event)}>
        <SecretField
          label="Webhook"
          help={webhook_host ? `A JSON document is sent to ${webhook_host}.` : 'Gets a JSON document: what ended, how, and its message.'}
          saved={webhook_host !== null}
          fixed={null}
          secret={webhook}
          error={problem?.fields['webhook_url']}
          onForget={() => void change({ webhook_url: null })}
        />
        <SecretField
          label="ntfy topic"
          help={ntfy_host ? `A message is sent by ${ntfy_host}.` : 'For your phone, as https://ntfy.sh/my-topic. Whoever knows the topic can read it.'}
          saved={ntfy_host !== null}
          fixed={null}
          secret={ntfy}
          error={problem?.fields['ntfy_url']}
          onForget={() => void change({ ntfy_url: null })}
        />
        {refusal ? <ErrorPanel message={refusal.detail} hint={refusal.hint} /> : null}
        {(test.data ?? []).map((result) => (
          <Notice key={result.channel} tone={result.sent ? 'info' : 'warn'}>
            {outcomeOf(result)}
          </Notice>
        ))}
        <div className="flex gap-2">
          <Button type="submit" disabled={!changed} busy={saving && 'Saving…'}>
            Save
          </Button>
          <Button disabled={changed || (!webhook_host && !ntfy_host)} busy={test.isLoading && 'Sending…'} onClick={() => void send()}>
            Send a test
          </Button>
        </div>
      </form>
    </Card>
  )
}

function outcomeOf({ channel, host, sent, problem }: MessageTest): string {
  const name = channel === 'ntfy' ? 'ntfy' : 'The webhook'
  return sent ? `${name} at ${host} took the test.` : `${name} at ${host} did not take the test: ${problem ?? 'no reason was given'}.`
}
