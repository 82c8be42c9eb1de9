/** What is trained: rank, strength, matrices and layers, and what that amounts to. */
import { useMemo, type ReactNode } from 'react'
import type { FieldName } from '@/api/fields'
import type { LoraTargets, Preview } from '@/api/generated'
import type { Problem } from '@/api/errors'
import { FieldControl } from '@/start/fields/FieldControl'
import type { FieldErrors } from '@/start/fields/form'
import { KeyPicker } from './KeyPicker'
import { LayerCoverage } from './LayerCoverage'
import { coveredKeys, effectiveScale, peftAlpha, type Extent } from './lora'
import { LoraResult } from './LoraResult'
import { FIELD_GRID } from '@/start/fields/ParametersCard'
import { PresetPicker } from './PresetPicker'
import { number } from '@/start/review/review'
import type { StartForm } from '@/start/fields/useStartForm'
import { compact } from '@/lib/format'
import { Card } from '@/ui/Card'
import { FieldNote } from '@/ui/controls/Field'
import { Notice } from '@/ui/feedback/Notice'

type Props = {
  readonly title: string
  readonly subtitle: ReactNode
  readonly form: StartForm
  readonly errors: FieldErrors
  readonly preview: Preview | null
  readonly targets: LoraTargets | null
  readonly targetsProblem: Problem | null
}

export function LoraCard({ title, subtitle, form, errors, preview, targets, targetsProblem }: Props) {
  const { values, level } = form
  const full = values.fine_tune_type === 'full'
  // The picture has hundreds of cells: drawn again only when what it shows has changed.
  const covered = useMemo(() => {
    if (!targets) return []
    return full ? targets.keys : coveredKeys(targets, values.lora_keys)
  }, [targets, full, values.lora_keys])
  const extent = extentOf(form)
  return (
    <Card
      title={title}
      subtitle={subtitle}
      actions={full ? null : <PresetPicker form={form} targets={targets} extent={extent} />}
      bodyClassName="@container"
    >
      {!full && errors.lora_keys ? <FieldNote id="lora-keys-note" error={errors.lora_keys} /> : null}
      {full ? (
        <Notice className="mb-4">
          Every weight of the covered layers is trained. Embeddings, the final norm and the output layer stay frozen;
          rank, alpha and matrices have no effect.
        </Notice>
      ) : null}
      {!full && typeof values.lora_keys === 'object' && targets ? (
        <KeyPicker targets={targets} chosen={values.lora_keys} extent={extent} onChoose={(keys) => form.set('lora_keys', keys)} />
      ) : null}
      <div className={FIELD_GRID}>
        <FieldControl name="lora_rank" form={form} errors={errors} />
        <FieldControl name="lora_alpha" form={form} errors={errors} help={scaleLine(form)} />
        <FieldControl name="lora_dropout" form={form} errors={errors} help="0 for small data sets" />
        <LayerCoverage form={form} errors={errors} targets={targets} />
        {level === 'advanced'
          ? form.fieldsOf('lora', 'advanced').map((name) => (
              <FieldControl key={name} name={name} form={form} errors={errors} help={helpOf(name, form)} />
            ))
          : null}
      </div>
      <LoraResult
        form={form}
        preview={preview}
        targets={targets}
        problem={targetsProblem}
        covered={covered}
        extent={extent}
      />
    </Card>
  )
}

/** Where the numbers follow from the modules' sizes alone; DoRA and full weights have more to count. */
function extentOf(form: StartForm): Extent | null {
  const [rank, coverage] = [number(form, 'lora_rank'), number(form, 'lora_num_layers')]
  return form.values.fine_tune_type !== 'lora' || rank === null || coverage === null ? null : { rank, coverage }
}

function scaleLine(form: StartForm): string | undefined {
  const { values } = form
  const [alpha, rank] = [number(form, 'lora_alpha'), number(form, 'lora_rank')]
  if (alpha === null || rank === null) return undefined
  const scaling = { rule: String(values.lora_scaling), alpha, rank }
  return `Scale ×${compact(effectiveScale(scaling))} · PEFT alpha ${compact(peftAlpha(scaling), 4)}`
}

function helpOf(name: FieldName, { values }: StartForm): string | undefined {
  if (name !== 'lora_scaling') return undefined
  return SCALING_HELP[String(values.lora_scaling)]
}

const SCALING_HELP: Readonly<Record<string, string>> = {
  mlx: 'Multiplier = alpha, as in MLX.',
  alpha_over_rank: 'Multiplier = alpha / rank, as in PEFT.',
  rslora: 'Multiplier = alpha / √rank, comparable across ranks.',
}
