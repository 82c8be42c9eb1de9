/** The whole code of a file before it may run, and the consent to it. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useInspectRewardCodeQuery, useTrustRewardCodeMutation, useUntrustRewardCodeMutation, type RewardCode } from '@/api/generated'
import { bytes } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { CopyButton } from '@/ui/controls/CopyButton'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'
import { Skeleton } from '@/ui/feedback/Skeleton'

type Props = { readonly path: string; readonly onClose: () => void }

export function CodeDialog({ path, onClose }: Props) {
  const { data, error, isFetching, refetch } = useInspectRewardCodeQuery(
    { inspectCodeRequest: { path } },
    // The file may have changed since it was last looked at.
    { refetchOnMountOrArgChange: true },
  )
  const [trust, trusting] = useTrustRewardCodeMutation()
  const [untrust, untrusting] = useUntrustRewardCodeMutation()
  const [read, setRead] = useState<string | null>(null)
  const code = isFetching ? undefined : data
  const problem = readProblem(error)
  const refused = readProblem(trusting.error ?? untrusting.error)
  const consent = async () => {
    if (!code) return
    const answer = await trust({ trustRequest: { path: code.path, sha256: code.sha256 } })
    // Refused because the file is another by now: then the new code is what has to be read.
    if (answer.error) void refetch()
    else onClose()
  }
  const withdraw = async () => {
    const answer = await untrust({ untrustRequest: { path } })
    if (!answer.error) onClose()
  }
  return (
    <Dialog
      open
      title="Code of the reward functions"
      size="wide"
      onClose={onClose}
      footer={
        <>
          {code?.trusted ? (
            <Button kind="danger" className="mr-auto" busy={untrusting.isLoading && 'Revoking…'} onClick={() => void withdraw()}>
              Revoke trust
            </Button>
          ) : null}
          <Button onClick={onClose}>{code?.trusted ? 'Close' : 'Don’t trust'}</Button>
          {code && !code.trusted ? (
            <Button
              kind="primary"
              disabled={read !== code.sha256}
              busy={trusting.isLoading && 'Trusting…'}
              onClick={() => void consent()}
            >
              Trust this file
            </Button>
          ) : null}
        </>
      }
    >
      {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      {refused ? <ErrorPanel className="mb-3" message={refused.detail} hint={refused.hint} /> : null}
      {!problem && !code ? <Skeleton className="h-64" /> : null}
      {code ? <Code code={code} read={read === code.sha256} onRead={(yes) => setRead(yes ? code.sha256 : null)} /> : null}
    </Dialog>
  )
}

type CodeProps = { readonly code: RewardCode; readonly read: boolean; readonly onRead: (read: boolean) => void }

function Code({ code, read, onRead }: CodeProps) {
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center justify-between gap-2 text-small text-soft">
        <span className="font-mono text-tiny break-all">{code.path}</span>
        <span className="flex items-center gap-3">
          {bytes(code.size_bytes)}
          {code.trusted ? <Badge tone="good">trusted</Badge> : null}
          <CopyButton text={code.code} />
        </span>
      </div>
      {code.warnings.length > 0 ? (
        <Notice tone="warn" title="Caution">
          {code.warnings.map((warning) => (
            <p key={warning}>{warning}</p>
          ))}
        </Notice>
      ) : null}
      <pre
        // Long code scrolls by keyboard too.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        className="max-h-[45dvh] overflow-auto rounded-field border border-line bg-sunken p-3 font-mono text-small text-ink"
      >
        {code.code}
      </pre>
      <p className="text-small text-soft">
        {code.functions.length === 0
          ? 'No reward function found.'
          : `Functions: ${code.functions.map(({ name, line, problem }) => `${name} (line ${line}${problem ? `, can’t be used: ${problem}` : ''})`).join(', ')}.`}{' '}
        {code.imports.length > 0 ? `It imports ${code.imports.join(', ')}.` : 'No imports.'}
      </p>
      <p className="font-mono text-tiny break-all text-faint">sha256 {code.sha256}</p>
      {code.trusted ? null : (
        <label className="flex items-start gap-2.5 rounded-field border border-line p-3">
          <input type="checkbox" checked={read} onChange={(event) => onRead(event.target.checked)} className="mt-0.5 size-4 accent-accent" />
          <span>I have read this code. It runs with my rights on this machine, in every try and every run that uses it.</span>
        </label>
      )}
    </div>
  )
}
