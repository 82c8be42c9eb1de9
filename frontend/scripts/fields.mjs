/** JSON schema of the start request → the typed list of fields that the form is drawn from. */

const TYPES = `
export type FieldKind = 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'keys' | 'list'

/**
 * A field of the start request. Limits are as the server checks them. \`when\`: it has an effect only
 * where each field that is named there has one of the values.
 */
export type Field = {
  readonly name: string
  readonly kind: FieldKind
  readonly title: string
  readonly help: string
  readonly group: string
  readonly level: 'simple' | 'advanced'
  readonly unit?: string
  readonly when?: Readonly<Record<string, readonly (string | number | boolean)[]>>
  readonly required?: true
  readonly nullable?: true
  readonly default?: string | number | boolean | null | readonly string[]
  readonly min?: number
  readonly max?: number
  readonly above?: number
  readonly below?: number
  readonly pattern?: string
  readonly maxLength?: number
  readonly options?: readonly (string | number)[]
}
`

export function renderFields(schema) {
  const required = new Set(schema.required ?? [])
  const fields = Object.entries(schema.properties).map(([name, property]) =>
    describe(name, property, required.has(name)),
  )
  const lines = fields.map((field) => `  ${JSON.stringify(field)},`).join('\n')
  return (
    TYPES +
    `\nexport const FIELDS = [\n${lines}\n] as const satisfies readonly Field[]\n` +
    `\nexport type FieldName = (typeof FIELDS)[number]['name']\n`
  )
}

function describe(name, property, required) {
  const variants = property.anyOf ?? [property]
  const nullable = variants.some((each) => each.type === 'null')
  const main = variants.find((each) => each.type !== 'null')
  const limits = { ...main, ...property }
  const kind = kindOf(main, variants)
  const fallback = 'default' in property ? property.default : nullable ? null : undefined
  return clean({
    name,
    kind,
    title: property.title,
    help: property.description ?? '',
    group: property.group,
    level: property.level,
    unit: property.unit,
    when: property.when,
    required: required || undefined,
    nullable: nullable || undefined,
    default: fallback,
    min: limits.minimum,
    max: limits.maximum,
    above: limits.exclusiveMinimum,
    below: limits.exclusiveMaximum,
    pattern: limits.pattern,
    maxLength: limits.maxLength,
    options: main.enum,
  })
}

function kindOf(main, variants) {
  if (variants.some((each) => each.type === 'array') && main.enum) return 'keys'
  if (main.enum) return 'choice'
  const kinds = { string: 'text', number: 'number', integer: 'integer', boolean: 'boolean', array: 'list' }
  const kind = kinds[main.type]
  if (!kind) throw new Error(`No control for ${JSON.stringify(main)}`)
  return kind
}

function clean(record) {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}
