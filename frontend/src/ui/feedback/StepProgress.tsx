/** What a job does now, in words, and how far it is. */
import { ProgressBar } from './ProgressBar'

type Props = { readonly label: string; readonly words: string; readonly share: number | null }

export function StepProgress({ label, words, share }: Props) {
  const percent = share === null ? null : `${Math.round(share * 100)} %`
  return (
    <>
      <p className="mb-2">
        <span role="status" className="font-medium">
          {words}…
        </span>{' '}
        <span className="tabular-nums">{percent}</span>
      </p>
      <ProgressBar label={label} value={share} text={percent ?? words} />
    </>
  )
}
