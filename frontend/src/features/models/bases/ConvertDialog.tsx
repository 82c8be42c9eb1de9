/** A new model from this one: MLX’s form, fewer bits or another precision; size and time are said before. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useEstimateConversionQuery, useStartConversionMutation, type ConversionEstimate, type ModelInfo } from '@/api/generated'
import { bytes, duration } from '@/lib/format'
import { Button } from '@/ui/controls/Button'
import { Field } from '@/ui/controls/Field'
import { Segmented } from '@/ui/controls/Segmented'
import { Select } from '@/ui/controls/Select'
import { TextInput } from '@/ui/controls/TextInput'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'
import { Skeleton } from '@/ui/feedback/Skeleton'

type Props = { readonly model: ModelInfo; readonly onClose: () => void }
type Bits = '4' | '8' | 'none'
type Precision = '' | 'float16' | 'bfloat16' | 'float32'

const BITS: readonly { readonly value: Bits; readonly label: string }[] = [
  { value: '4', label: '4 bits' },
  { value: '8', label: '8 bits' },
  { value: 'none', label: 'Not quantised' },
]
const HELP: Readonly<Record<Bits, string>> = {
  '4': 'About a quarter of the size of 16 bits; answers differ a little.',
  '8': 'About half the size of 16 bits; answers hardly differ.',
  none: 'PyTorch weights in MLX’s form, or another precision.',
}

export function ConvertDialog({ model, onClose }: Props) {
  const [bits, setBits] = useState<Bits>(model.weights_format === 'mlx' || model.weights_format === null ? '4' : 'none')
  const [precision, setPrecision] = useState<Precision>('')
  const [name, setName] = useState<string | null>(null)
  const [start, starting] = useStartConversionMutation()
  const asked = useEstimateConversionQuery(
    { source: model.path, ...(bits === 'none' ? {} : { quantize: bits }), ...(precision === '' ? {} : { dtype: precision }) },
    { refetchOnMountOrArgChange: true },
  )
  const estimate = asked.isError ? null : (asked.currentData ?? null)
  const refused = asked.isFetching ? null : readProblem(asked.error)
  const problem = readProblem(starting.error)
  const target = name ?? estimate?.output_name ?? ''
  const run = async () => {
    const answer = await start({
      modelConversion: {
        source: model.path,
        output_name: target,
        quantize: bits === 'none' ? null : bits === '4' ? 4 : 8,
        dtype: precision === '' ? null : precision,
      },
    })
    if (answer.data) onClose()
  }
  return (
    <Dialog
      open
      title={`Convert ${model.name}`}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            disabled={estimate === null || !estimate.enough_space || target.trim() === ''}
            busy={starting.isLoading && 'Starting…'}
            onClick={() => void run()}
          >
            Convert
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <div>
          <p className="mb-1.5 text-small font-medium">Quantisation</p>
          <Segmented label="Quantisation" value={bits} choices={BITS} onChoose={setBits} />
          <p className="mt-1.5 text-tiny text-faint">{HELP[bits]}</p>
        </div>
        <Field label="Precision" help="Of the weights that are not packed.">
          {(control) => (
            <Select
              {...control}
              value={precision}
              options={[
                { value: '', label: `As stored${model.dtype ? ` (${model.dtype})` : ''}` },
                { value: 'float16', label: 'float16' },
                { value: 'bfloat16', label: 'bfloat16' },
                { value: 'float32', label: 'float32' },
              ]}
              onChoose={(value) => setPrecision(value as Precision)}
            />
          )}
        </Field>
        <Field label="Name of the new model" help="Letters, digits, dots, dashes and underscores." error={problem?.fields['output_name']}>
          {(control) => (
            <TextInput
              {...control}
              mono
              value={target}
              onText={(text) => {
                setName(text)
                starting.reset()
              }}
            />
          )}
        </Field>
        {refused ? <Notice tone="warn" title={refused.detail}>{refused.hint}</Notice> : <Estimate estimate={estimate} />}
        {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      </div>
    </Dialog>
  )
}

function Estimate({ estimate }: { readonly estimate: ConversionEstimate | null }) {
  if (estimate === null) return <Skeleton className="h-12" />
  if (!estimate.enough_space) {
    return (
      <Notice tone="bad" title={`It needs ${bytes(estimate.disk_needed)}, and ${bytes(estimate.disk_free)} are free`}>
        Delete a model or an adapter, then try again.
      </Notice>
    )
  }
  const time = estimate.seconds == null ? 'Its time is not known until one was made here' : `About ${duration(estimate.seconds)}, going by the last conversion here`
  return (
    <Notice title={`${bytes(estimate.source_bytes)} → about ${bytes(estimate.size_bytes)}`}>
      {time} · {bytes(estimate.disk_free)} free. {estimate.source} stays as it is.
    </Notice>
  )
}
