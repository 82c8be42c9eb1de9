/** Prompts that the adapter was not trained on, one press away, and its rows' system prompt. */
import { LinkButton } from '@/ui/controls/LinkButton'
import type { Trained } from './useTrained'

type Props = {
  readonly trained: Trained
  readonly system: string
  readonly onPrompt: (text: string) => void
  readonly onSystem: (text: string) => void
}

export function TrainedPrompts({ trained, system, onPrompt, onSystem }: Props) {
  const { prompts, adapter } = trained
  if (prompts.length === 0 && trained.system === null) return null
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-1.5 text-small text-soft">
      {prompts.length > 0 ? <span>Ask a prompt held out from the training of {adapter}:</span> : null}
      {prompts.map((text) => (
        <button
          key={text}
          type="button"
          title={text}
          onClick={() => onPrompt(text)}
          className="max-w-full truncate rounded-full border border-edge px-2.5 py-0.5 text-soft transition-colors hover:text-ink sm:max-w-72"
        >
          {text}
        </button>
      ))}
      {trained.system !== null && system !== trained.system ? (
        <LinkButton onClick={() => onSystem(trained.system ?? '')}>Use the system prompt of its training rows</LinkButton>
      ) : null}
    </div>
  )
}
