/** Which matrices: a preset of the architecture, or a list of one's own. */
import type { LoraTargets } from '@/api/generated'
import { fieldOf } from './fieldRules'
import { PRESET_NAMES } from './labels'
import { coveredKeys } from './lora'
import type { SetupForm } from './useSetupForm'
import { Segmented } from '@/ui/Segmented'

const CUSTOM = 'custom'

type Props = { readonly form: SetupForm; readonly targets: LoraTargets | null }

export function PresetPicker({ form, targets }: Props) {
  const { lora_keys: chosen } = form.values
  const presets = (fieldOf('lora_keys').options ?? []).map(String).filter((name) => isUseful(name, targets, chosen))
  const choices = [
    ...presets.map((value) => ({ value, label: value, ...PRESET_NAMES[value] })),
    { value: CUSTOM, label: 'Custom…', hint: 'Choose the modules one by one.' },
  ]
  const choose = (value: string) => {
    if (value !== CUSTOM) form.set('lora_keys', value)
    else form.set('lora_keys', targets ? coveredKeys(targets, chosen).map((key) => key.name) : [])
  }
  return (
    <Segmented
      label={fieldOf('lora_keys').title}
      value={typeof chosen === 'string' ? chosen : CUSTOM}
      choices={choices}
      onChoose={choose}
    />
  )
}

/** Experts are offered for mixtures only. */
function isUseful(name: string, targets: LoraTargets | null, chosen: unknown): boolean {
  if (name !== 'full_experts' || chosen === name) return true
  return targets?.keys.some((key) => key.group === 'moe') ?? false
}
