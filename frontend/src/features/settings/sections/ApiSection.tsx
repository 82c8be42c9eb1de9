/** Where other programs reach this service, and the token that they need. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useDropTokenMutation, useMakeTokenMutation, type ApiAccess } from '@/api/generated'
import { Card } from '@/ui/Card'
import { Button } from '@/ui/controls/Button'
import { CopyButton } from '@/ui/controls/CopyButton'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'

const STATES: Record<ApiAccess['token'], string> = {
  none: 'No token is needed: every program of this computer may use it. Pages of other sites are refused.',
  saved: 'Every program needs the token. The command line and the desktop window find it by themselves.',
  given: 'The token was given when the service was started, so it is changed there: --token or DROID_TOKEN.',
}

export function ApiSection({ access }: { readonly access: ApiAccess }) {
  const [make, making] = useMakeTokenMutation()
  const [drop, dropping] = useDropTokenMutation()
  const [token, setToken] = useState<string | null>(null)
  const [asks, setAsks] = useState(false)
  const problem = readProblem(making.error) ?? readProblem(dropping.error)
  const create = async () => {
    setAsks(false)
    const made = await make()
    if (made.data) setToken(made.data.token)
  }
  return (
    <Card title="API access" subtitle="For scripts, and for programs that speak OpenAI’s protocol (under /v1)">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 rounded-field bg-sunken px-3 py-2">
        <code className="font-mono text-small break-all text-ink">{access.url}</code>
        <CopyButton text={access.url} />
      </div>
      <p className="mt-3 text-small text-soft">{STATES[access.token]}</p>
      {problem ? <ErrorPanel className="mt-3" message={problem.detail} hint={problem.hint} /> : null}
      {token === null ? null : <Shown token={token} />}
      {access.token === 'given' ? null : (
        <div className="mt-4 flex flex-wrap gap-2">
          <Button busy={making.isLoading && 'Making a token…'} onClick={() => (access.token === 'saved' ? setAsks(true) : void create())}>
            {access.token === 'saved' ? 'Make a new token…' : 'Require a token'}
          </Button>
          {access.token === 'saved' && access.local_only ? (
            <Button kind="ghost" busy={dropping.isLoading && 'Removing…'} onClick={() => (setToken(null), void drop())}>
              Stop requiring it
            </Button>
          ) : null}
        </div>
      )}
      <Dialog
        open={asks}
        size="small"
        title="Make a new token"
        onClose={() => setAsks(false)}
        footer={
          <>
            <Button onClick={() => setAsks(false)}>Cancel</Button>
            <Button kind="primary" onClick={() => void create()}>
              Make a new token
            </Button>
          </>
        }
      >
        <p className="text-small text-soft">Scripts and other browsers that have the present token are refused from then on. This page keeps its access.</p>
      </Dialog>
    </Card>
  )
}

function Shown({ token }: { readonly token: string }) {
  return (
    <Notice className="mt-3" title="Copy the token now: it is shown this once.">
      <span className="mt-1 flex flex-wrap items-center gap-x-4 gap-y-1">
        <code className="font-mono break-all text-ink">{token}</code>
        <CopyButton text={token} />
      </span>
      <span className="mt-1 block">
        Send it as <code className="font-mono">Authorization: Bearer …</code>, or as the API key of a program that speaks OpenAI’s protocol.
      </span>
    </Notice>
  )
}
