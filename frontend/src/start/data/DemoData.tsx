/** With the demo model, and no rows for the method chosen yet: the bundled ones are one press away. */
import { useListDatasetsQuery, type MethodInfo } from '@/api/generated'
import type { StartForm } from '@/start/fields/useStartForm'
import { LinkButton } from '@/ui/controls/LinkButton'

type Props = {
  readonly form: StartForm
  readonly method: MethodInfo
  /** Of the chosen file, once it is known. */
  readonly format: string | null
}

/** The form of the rows that such a method can use. */
const FORMS: Readonly<Partial<Record<MethodInfo['data_format'], string>>> = {
  sft: 'chat',
  prompt_answer: 'grpo',
  prompt: 'grpo',
  preference: 'preference',
}

export function DemoData({ form, method, format: chosen }: Props) {
  const unfit = method.data_format !== 'sft' && chosen !== null && chosen !== FORMS[method.data_format]
  const wanted = (form.values.train_data_path === '' || unfit) && form.model?.defaults != null
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
