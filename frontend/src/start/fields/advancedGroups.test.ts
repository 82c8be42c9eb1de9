import { expect, test } from 'vitest'
import { FIELDS, type FieldName } from '@/api/fields'
import { advancedGroups, engineDefault } from './advancedGroups'

const advanced = FIELDS.filter((field) => field.group === 'parameters' && field.level === 'advanced')

test('every advanced field is in one group, in the order of the groups', () => {
  const groups = advancedGroups(advanced.map((field) => field.name))
  expect(groups.map(({ name }) => name)).toEqual(['Schedule', 'Optimizer', 'Validation', 'Checkpoints', 'Reporting', 'Memory and speed'])
  expect(groups.flatMap(({ fields }) => fields).toSorted()).toEqual(advanced.map((field) => field.name).toSorted())
  expect(advancedGroups(['seed'])).toEqual([{ name: 'Schedule', fields: ['seed'] }])
})

test('an empty number of an optimizer says what the engine takes', () => {
  const numbers = advanced.filter((field) => 'nullable' in field && field.nullable && field.kind !== 'choice')
  for (const { name, when } of numbers as readonly { readonly name: FieldName; readonly when?: { readonly optimizer?: readonly string[] } }[]) {
    for (const optimizer of when?.optimizer ?? []) expect(engineDefault(name, optimizer), `${name} of ${optimizer}`).toBeDefined()
  }
  expect(engineDefault('momentum', 'muon')).toBe('default 0.95')
})
