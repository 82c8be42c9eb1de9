/** Which matrices: a preset of the architecture, or a list of one's own. */
import type { LoraTargets } from '@/api/generated'
import type { Draft } from '@/start/fields/fieldRules'
import { PRESET_NAMES } from '@/start/fields/labels'
import { coveredKeys, trainableWords, type Extent } from './lora'
import type { StartForm } from '@/start/fields/useStartForm'
import { Segmented } from '@/ui/controls/Segmented'

const CUSTOM = 'custom'

type Props = { readonly form: StartForm; readonly targets: LoraTargets | null; readonly extent: Extent | null }

export function PresetPicker({ form, targets, extent }: Props) {
  const { lora_keys: chosen } = form.values
  const presets = (form.field('lora_keys').options ?? []).map(String).filter((name) => isUseful(name, targets, chosen))
  const choices = [
    ...presets.map((value) => ({
      value,
      label: value,
      ...PRESET_NAMES[value],
      figure: targets ? trainableWords(targets, coveredKeys(targets, value), extent) : null,
    })),
    { value: CUSTOM, label: 'Custom…', hint: 'Choose the modules one by one.' },
  ]
  const choose = (value: string) => {
    if (value !== CUSTOM) form.set('lora_keys', value)
    else form.set('lora_keys', targets ? namesOf(targets, chosen) : [])
  }
  return (
    <Segmented
      label={form.field('lora_keys').title}
      value={typeof chosen === 'string' ? chosen : CUSTOM}
      choices={choices}
      onChoose={choose}
    />
  )
}

/** What the present choice covers; where the modules can't be read, the names it stands for. */
function namesOf(targets: LoraTargets, chosen: Draft): readonly string[] {
  if (targets.keys.length > 0) return coveredKeys(targets, chosen).map((key) => key.name)
  return typeof chosen === 'string' ? (targets.presets[chosen] ?? []) : Array.isArray(chosen) ? chosen : []
}

/** A preset that matches no module of the model trains nothing; experts are offered for mixtures only. */
function isUseful(name: string, targets: LoraTargets | null, chosen: unknown): boolean {
  if (chosen === name) return true
  if (targets && coveredKeys(targets, name).length === 0 && targets.keys.length > 0) return false
  if (name !== 'full_experts') return true
  return targets?.keys.some((key) => key.group === 'moe') ?? false
}
