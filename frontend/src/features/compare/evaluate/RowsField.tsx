/** A file of rows to evaluate on, instead of those that the run held out. */
import { useDataFile } from '@/api/useDataFile'
import { Field } from '@/ui/controls/Field'
import { LinkButton } from '@/ui/controls/LinkButton'
import { TextInput } from '@/ui/controls/TextInput'

type Props = { readonly path: string; readonly problem: string | undefined; readonly onPath: (path: string) => void }

export function RowsField({ path, problem, onPath }: Props) {
  const file = useDataFile(onPath)
  return (
    <Field
      label="Rows of your own"
      aside="optional"
      help="Rows that the run was trained on are found by their content and marked"
      error={file.problem?.detail ?? problem}
    >
      {(control) => (
        <TextInput
          {...control}
          mono
          showEnd
          value={path}
          title={path}
          placeholder="None: the rows that its run held out"
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
