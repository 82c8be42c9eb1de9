/** The field of a secret: empty, with a word on whether one is saved and a way to remove it. */
import type { Secret } from '@/features/settings/sections/useSecret'
import { Field } from '@/ui/controls/Field'
import { LinkButton } from '@/ui/controls/LinkButton'
import { TextInput } from '@/ui/controls/TextInput'

type SecretProps = {
  readonly label: string
  readonly help: string
  readonly saved: boolean
  readonly fixed: string | null
  readonly secret: Secret
  readonly error?: string | undefined
  readonly onForget: () => void
}

export function SecretField({ label, help, saved, fixed, secret, error, onForget }: SecretProps) {
  const note = fixed ? `${help} ${fixed} sets it.` : help
  const forget = saved && !fixed ? <LinkButton onClick={onForget}>Remove</LinkButton> : undefined
  return (
    <Field label={label} help={note} error={error} aside={forget}>
      {(control) => (
        <TextInput
          {...control}
          type="password"
          autoComplete="new-password"
          disabled={fixed !== null}
          value={secret.text}
          placeholder={saved ? 'Saved. Type a new one to replace it' : 'None'}
          onText={secret.set}
        />
      )}
    </Field>
  )
}
