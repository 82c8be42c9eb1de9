/** A finished export: where it is, what a fresh process got from it, and how it scores beside the adapter. */
import type { ExportResultAnswer } from '@/api/generated'
import { bytes, compact, duration, loss, percent } from '@/lib/format'
import { CopyButton } from '@/ui/controls/CopyButton'
import { Notice } from '@/ui/feedback/Notice'
import { ProofTable } from '@/features/fusion/result/ProofTable'

export function ExportOutcome({ result }: { readonly result: ExportResultAnswer }) {
  const { proof, quantisation, smoke } = result
  const [, adapter, model] = proof?.targets ?? []
  return (
    <div className="flex flex-col gap-3">
      <Notice title={`${result.output_name} is ready: ${bytes(result.bytes)}, made in ${duration(result.seconds)}`}>
        {smoke.text === null ? `${smoke.program} could load it.` : `Asked by ${smoke.program}, it answered: “${smoke.text.trim()}”`}
      </Notice>
      {result.worse ? (
        <Notice tone="bad" title="The export is worse than the adapter">
          Its loss is {loss(model?.loss?.mean)}; the adapter on its base has {loss(adapter?.loss?.mean)}, at most {loss(adapter?.loss?.high)} within its 95 %
          interval. Choose more bits, or the merged model without quantisation.
        </Notice>
      ) : null}
      {result.warnings.map((warning) => (
        <Notice key={warning} tone="warn">
          {warning}
        </Notice>
      ))}
      <p className="flex flex-wrap items-center gap-2 text-small">
        <span className="font-mono break-all">{result.gguf_path ?? result.merged_dir}</span>
        <CopyButton text={result.gguf_path ?? result.merged_dir} label="Copy path" />
      </p>
      {quantisation ? (
        <p className="text-small text-soft">
          {quantisation.type} by {quantisation.program}, {compact(quantisation.bits_per_weight)} bits per weight
          {quantisation.kept_change == null ? '' : ` · ${percent(100 * quantisation.kept_change)} of the adapter’s change is kept`}
        </p>
      ) : null}
      {result.ollama_model_name ? <p className="text-small">In Ollama as {result.ollama_model_name}.</p> : null}
      {result.lm_studio_path ? <p className="text-small break-all">In LM Studio: {result.lm_studio_path}</p> : null}
      {proof ? (
        <>
          <ProofTable proof={proof} />
          <p className="text-tiny text-faint">
            {proof.rows} held-out rows. “Answers changed” counts those that are not the adapter’s.
          </p>
        </>
      ) : (
        <p className="text-small text-soft">Not scored. {result.unproven}</p>
      )}
    </div>
  )
}
