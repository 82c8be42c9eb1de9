/** A file of rows to evaluate on, instead of those that the run held out. */
import { useDataFile } from './useDataFile'
import { Field } from '@/ui/controls/Field'
import { LinkButton } from '@/ui/controls/LinkButton'
import { TextInput } from '@/ui/controls/TextInput'

type Props = {
  readonly path: string
  readonly problem: string | undefined
  readonly onPath: (path: string) => void
  readonly label?: string
  readonly help?: string
  readonly placeholder?: string
}

const HELP = 'Rows that the run was trained on are marked by content'

export function RowsField({ path, problem, onPath, label = 'Own rows', help = HELP, placeholder }: Props) {
  const file = useDataFile(onPath)
  return (
    <Field
      label={label}
      aside="optional"
      help={help}
      error={file.problem?.detail ?? problem}
    >
      {(control) => (
        <TextInput
          {...control}
          mono
          showEnd
          value={path}
          title={path}
          placeholder={placeholder ?? 'None: the held-out rows of the run'}
          onText={(text) => {
            file.clear()
            onPath(text)
          }}
          trailing={
            <LinkButton className="bg-card text-small font-normal" onClick={() => void file.browse()} disabled={file.uploading}>
              {file.uploading ? 'Uploading…' : 'Browse…'}
            </LinkButton>
          }
        />
      )}
    </Field>
  )
}
