/** An adapter for other programs: format, size and time before, progress, and what came of it. */
import { useState } from 'react'
import type { ExportRequestBody, FormatInfo } from '@/api/generated'
import { Button } from '@/ui/controls/Button'
import { Field } from '@/ui/controls/Field'
import { Switch } from '@/ui/controls/Switch'
import { TextInput } from '@/ui/controls/TextInput'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { StepProgress } from '@/ui/feedback/StepProgress'
import { ExportOutcome } from './ExportOutcome'
import { FormatChoice } from './FormatChoice'
import { useExport, type Export } from './useExport'

type Props = { readonly adapter: string; readonly onClose: () => void }

const PHASES: Readonly<Record<string, string>> = {
  starting: 'Starting',
  writing: 'Writing, tensor by tensor',
  testing: 'Loading it in a fresh process',
  scoring: 'Measuring the loss on the held-out rows',
  answering: 'Answering the held-out rows',
  'handing over': 'Copying it to the chosen programs',
  done: 'Putting it into its place',
}

export function ExportDialog({ adapter, onClose }: Props) {
  const made = useExport(adapter)
  const [format, setFormat] = useState<FormatInfo['id']>('merged')
  const [name, setName] = useState('')
  const [ollama, setOllama] = useState(false)
  const [lmStudio, setLmStudio] = useState(false)
  const chosen = made.formats?.find((each) => each.id === format)
  const gguf = format.startsWith('gguf')
  const start = () => {
    const body: ExportRequestBody = {
      adapter_name: adapter,
      format,
      ...(name.trim() === '' ? {} : { output_name: name.trim() }),
      import_to_ollama: gguf && ollama,
      copy_to_lm_studio: format !== 'peft' && lmStudio,
    }
    void made.start(body)
  }
  const done = made.result !== null
  return (
    <Dialog
      open
      size="wide"
      title={`Export ${adapter}`}
      onClose={onClose}
      footer={
        <>
          {done ? <Button onClick={made.dismiss}>Export another format</Button> : null}
          {made.running ? (
            <Button busy={made.stopping && 'Stopping…'} onClick={made.stop}>
              Stop
            </Button>
          ) : null}
          <Button kind={done || made.running ? 'primary' : 'secondary'} onClick={onClose}>
            {made.running ? 'Close, it goes on' : done ? 'Done' : 'Cancel'}
          </Button>
          {done || made.running ? null : (
            <Button kind="primary" disabled={chosen?.available !== true} busy={made.starting && 'Starting…'} onClick={start}>
              Export
            </Button>
          )}
        </>
      }
    >
      {made.problem ? <ErrorPanel message={made.problem.detail} hint={made.problem.hint} /> : null}
      {made.running ? <Progress made={made} /> : null}
      {made.result ? <ExportOutcome result={made.result} /> : null}
      {made.running || done ? null : (
        <div className="flex flex-col gap-4">
          {made.failure ? <ErrorPanel message={`The export failed: ${made.failure.message}`} hint={made.failure.hint} /> : null}
          {made.stopped ? <Notice>{made.stopped}</Notice> : null}
          {made.formats ? <FormatChoice formats={made.formats} chosen={format} onChoose={setFormat} /> : made.problem ? null : <Skeleton className="h-64" />}
          <Field label="Name" help="The folder in exports; letters, digits, dots, dashes and underscores." error={made.refused?.fields['output_name']}>
            {(control) => (
              <TextInput
                {...control}
                mono
                value={name}
                placeholder={`${adapter}-${format}`}
                onText={(text) => {
                  setName(text)
                  made.forgetRefusal()
                }}
              />
            )}
          </Field>
          <Program made={made} id="ollama" label="Import into Ollama" checked={ollama} usable={gguf} otherwise="Ollama takes GGUF formats." onChange={setOllama} />
          <Program
            made={made}
            id="lm_studio"
            label="Copy to LM Studio"
            checked={lmStudio}
            usable={format !== 'peft'}
            otherwise="LM Studio takes models, not adapters."
            onChange={setLmStudio}
          />
          {made.refused ? <ErrorPanel message={made.refused.detail} hint={made.refused.hint} /> : null}
        </div>
      )}
    </Dialog>
  )
}

type ProgramProps = {
  readonly made: Export
  readonly id: string
  readonly label: string
  readonly checked: boolean
  readonly usable: boolean
  readonly otherwise: string
  readonly onChange: (checked: boolean) => void
}

function Program({ made, id, label, checked, usable, otherwise, onChange }: ProgramProps) {
  const program = made.programs.find((each) => each.id === id)
  const possible = program?.available === true && usable
  const reason = program?.available === true ? otherwise : (program?.reason ?? undefined)
  return <Switch label={label} checked={checked && possible} disabled={!possible} help={possible ? undefined : reason} onChange={onChange} />
}

function Progress({ made }: { readonly made: Export }) {
  const words = PHASES[made.phase ?? ''] ?? 'Getting ready'
  return (
    <div>
      {made.other ? <p className="mb-2 text-small text-soft">{made.other} is being exported; one export at a time.</p> : null}
      <StepProgress label="Progress of the export" words={words} share={made.share} />
      <p className="mt-2 text-small text-soft">{made.name ? `Into exports/${made.name}: complete or not at all.` : null}</p>
    </div>
  )
}
