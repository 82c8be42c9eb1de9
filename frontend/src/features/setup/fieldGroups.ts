/** Which fields a card shows, from the schema's own marks. */
import { FIELDS, type Field, type FieldName } from '@/api/fields'
import { NO_CONTROL } from './form'
import type { Level } from './formMemory'

export type Group = 'data' | 'parameters' | 'lora' | 'run'

export function fieldsOf(group: Group, level: Level): readonly FieldName[] {
  return FIELDS.filter((field: Field) => field.group === group && field.level === level)
    .map((field) => field.name)
    .filter((name) => !NO_CONTROL.includes(name))
}
