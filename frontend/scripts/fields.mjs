/** JSON schemas of the start requests → the typed lists of fields that the forms are drawn from. */

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

/** `schemas`: the name of a list → the schema whose fields it has. */
export function renderFields(schemas) {
  const lists = Object.entries(schemas).map(([name, schema]) => listOf(name, schema))
  const names = Object.keys(schemas).map((name) => `(typeof ${name})[number]['name']`)
  const any = `/** A field of any start request: the forms share most of theirs. */\nexport type FieldName = ${names.join(' | ')}\n`
  return [TYPES, ...lists, any].join('\n')
}

function listOf(list, schema) {
  const required = new Set(schema.required ?? [])
  const fields = Object.entries(schema.properties)
    .filter(([, property]) => !isGroupOfFields(property))
    .map(([name, property]) => describe(name, property, required.has(name)))
  const lines = fields.map((field) => `  ${JSON.stringify(field)},`).join('\n')
  return `export const ${list} = [\n${lines}\n] as const satisfies readonly Field[]\n`
}

/** A model within the request: no single control can show it. */
function isGroupOfFields(property) {
  return (property.anyOf ?? [property]).some((each) => each.$ref)
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
