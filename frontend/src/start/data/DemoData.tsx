/** With the demo model and nothing chosen yet: its bundled rows for the method are one press away. */
import { useListDatasetsQuery, type MethodInfo } from '@/api/generated'
import type { StartForm } from '@/start/fields/useStartForm'
import { LinkButton } from '@/ui/controls/LinkButton'

type Props = { readonly form: StartForm; readonly method: MethodInfo }

/** The form of the rows that such a method can use. */
const FORMS: Readonly<Partial<Record<MethodInfo['data_format'], string>>> = {
  sft: 'chat',
  prompt_answer: 'grpo',
  prompt: 'grpo',
  preference: 'preference',
}

export function DemoData({ form, method }: Props) {
  const wanted = form.values.train_data_path === '' && form.model?.defaults != null
  const { data } = useListDatasetsQuery(undefined, { skip: !wanted })
  // A file that was used lately is told of as recent.
  const rows = data?.datasets.find(({ format, path }) => format === FORMS[method.data_format] && /[\\/]demo[\\/]/.test(path))
  if (!wanted || !rows) return null
  return (
    <LinkButton className="self-start text-small" onClick={() => form.set('train_data_path', rows.path)}>
      Use the demo data for {method.display_name}
    </LinkButton>
  )
}
