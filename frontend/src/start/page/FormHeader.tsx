/** The title, how much is shown, and the form as a file. */
import { FolderOpen, RotateCcw, Save } from 'lucide-react'
import type { Level } from '@/start/fields/formMemory'
import type { StartForm } from '@/start/fields/useStartForm'
import { Button } from '@/ui/controls/Button'
import { IconButton } from '@/ui/controls/IconButton'
import { PageHeader } from '@/ui/PageHeader'
import { Segmented } from '@/ui/controls/Segmented'
import { useUndo } from '@/ui/feedback/useUndo'

const LEVELS: readonly { readonly value: Level; readonly label: string }[] = [
  { value: 'simple', label: 'Simple' },
  { value: 'advanced', label: 'Advanced' },
]

type Props = {
  readonly title: string
  readonly subtitle: string
  readonly form: StartForm
  readonly onSave: () => void
  readonly onLoad: () => void
}

export function FormHeader({ title, subtitle, form, onSave, onLoad }: Props) {
  const offerUndo = useUndo()
  const reset = () => {
    const { edits } = form
    form.reset()
    offerUndo('Settings reset to defaults.', () => form.replace(edits))
  }
  return (
    <PageHeader title={title} subtitle={subtitle}>
      <Segmented label="Level of detail" value={form.level} choices={LEVELS} onChoose={form.chooseLevel} />
      <Button kind="ghost" onClick={onLoad}>
        <FolderOpen className="size-3.5" aria-hidden="true" />
        <span>
          Load<span className="max-sm:hidden"> settings (JSON)</span>…
        </span>
      </Button>
      <IconButton icon={Save} label="Save settings (JSON)" onClick={onSave} />
      <IconButton
        icon={RotateCcw}
        label="Reset to defaults"
        onClick={reset}
        disabled={Object.keys(form.edits).length === 0}
      />
    </PageHeader>
  )
}
