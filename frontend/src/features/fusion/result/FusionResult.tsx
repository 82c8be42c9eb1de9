/** A finished fusion: what it is now, the proof, what was taken from each adapter, and what is next. */
import { Columns2, Combine } from 'lucide-react'
import type { FusionInfo, FusionResultAnswer } from '@/api/generated'
import { baseName, compact, duration, moment, parameters, percent } from '@/lib/format'
import { ActionLink } from '@/ui/controls/ActionLink'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { CopyButton } from '@/ui/controls/CopyButton'
import { LinkButton } from '@/ui/controls/LinkButton'
import { Notice } from '@/ui/feedback/Notice'
import { StatCard } from '@/ui/StatCard'
import { methodName } from '@/features/fusion/form/fusionForm'
import { cautions, rowWords } from './proof'
import { ProofTable } from './ProofTable'
import { SourceTable } from './SourceTable'

type Props = {
  readonly result: FusionResultAnswer
  /** The adapter that was made is still here. */
  readonly here: boolean
  /** Only below the form of the next one. */
  readonly last: boolean
  readonly onAgain: () => void
}

export function FusionResult({ result, here, last, onAgain }: Props) {
  const { fusion_info: info, proof } = result
  return (
    <>
      <Card
        title={last ? `Last fusion: ${info.output_name}` : `${info.output_name} is ready`}
        subtitle={`${info.adapter_names.join(', ')} of ${info.base} · ${moment(info.timestamp)}, took ${duration(info.seconds)}`}
        actions={
          <>
            {last ? null : (
              <Button onClick={onAgain}>
                <Combine className="size-3.5" aria-hidden="true" />
                Fuse again
              </Button>
            )}
            {here ? <ActionLink to={`/fusion?export=${encodeURIComponent(info.output_name)}`}>Export…</ActionLink> : null}
            {here ? (
              <ActionLink primary={!last} to={`/compare?adapter=${encodeURIComponent(info.output_name)}`}>
                <Columns2 className="size-3.5" aria-hidden="true" />
                Compare
              </ActionLink>
            ) : null}
          </>
        }
        bodyClassName="flex flex-col gap-3"
      >
        {here ? null : (
          <Notice tone="warn" title={`${info.output_name} is not among the adapters any more.`}>
            It was renamed, moved or deleted after it was made.
          </Notice>
        )}
        <dl className="grid grid-cols-2 gap-3 md:grid-cols-4">
          <StatCard label="Method" value={methodName(info.method)} note={methodNote(info)} />
          <StatCard label="Output rank" value={String(info.output_rank)} note={rankNote(info.relative_error)} title={worstWords(result)} />
          <StatCard label="Parameters" value={parameters(info.parameters)} note="of the new adapter" />
          <StatCard label="Sources" value={String(result.sources.length)} note={info.base} title={info.base} />
        </dl>
        {info.relative_error > 0 ? <p className="text-small text-soft">{worstWords(result)}</p> : null}
        {result.warnings.map((warning) => (
          <Notice key={warning} tone="warn">
            {warning}
          </Notice>
        ))}
        <p className="flex min-w-0 items-baseline gap-3">
          <code className="min-w-0 truncate font-mono text-tiny text-soft" title={info.output_path}>
            {info.output_path}
          </code>
          <span className="shrink-0">
            <CopyButton text={info.output_path} label="Copy path" />
          </span>
        </p>
      </Card>
      <Card title="Proof" subtitle={proof ? `${rowWords(proof)}, each scored with all of them` : undefined} bodyClassName="flex flex-col gap-3">
        {cautions(result).map((caution) => (
          <Notice key={caution} tone="warn">
            {caution}
          </Notice>
        ))}
        {proof ? <ProofTable proof={proof} /> : <Unproven result={result} onAgain={onAgain} />}
        {proof ? (
          <p className="text-small text-faint" title={proof.sets.map(({ path }) => path).join('\n')}>
            Lower loss is better. “Answers changed” counts those that differ from the base’s. Rows of{' '}
            {[...new Set(proof.sets.map(({ path }) => baseName(path)))].join(', ')}.
          </p>
        ) : null}
      </Card>
      <Card title="What was taken from each adapter">
        <SourceTable sources={result.sources} />
      </Card>
    </>
  )
}

type UnprovenProps = { readonly result: FusionResultAnswer; readonly onAgain: () => void }

function Unproven({ result, onAgain }: UnprovenProps) {
  return (
    <Notice
      tone="warn"
      title="Not measured: there are no rows to score it on."
      action={<LinkButton onClick={onAgain}>Fuse again with rows of your own</LinkButton>}
    >
      {result.unproven} Give a file of rows under “Rows for the proof”.
    </Notice>
  )
}

function methodNote({ weights, density }: FusionInfo): string {
  const shares = weights.map((weight) => weight.toFixed(2)).join(' + ')
  return density === null ? shares : `${shares} · density ${compact(density)}`
}

function rankNote(error: number): string {
  return error === 0 ? 'exact' : `relative error ${percent(100 * error)}`
}

function worstWords({ fusion_info: info }: FusionResultAnswer): string {
  if (info.relative_error === 0) return 'Nothing of the merged change was cut off.'
  const worst = info.worst_matrix === null ? '' : `; most in ${info.worst_matrix}: ${percent(100 * info.worst_error)}`
  return `Rank ${info.output_rank} leaves out part of the merged change: relative error ${percent(100 * info.relative_error)}${worst}.`
}
