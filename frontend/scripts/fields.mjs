/** JSON schemas of the start requests → the typed lists of fields that the forms are drawn from. */

const TYPES = `
export type FieldKind = 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'keys' | 'list' | 'texts' | 'ranks'

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

/** `lists`: the name of a list → the schema whose fields it has, by its name in `schemas`. */
export function renderFields(lists, schemas) {
  const rendered = Object.entries(lists).map(([name, schema]) => listOf(name, schemas[schema], schemas))
  const names = Object.keys(lists).map((name) => `(typeof ${name})[number]['name']`)
  const any = `/** A field of any start request: the forms share most of theirs. */\nexport type FieldName = ${names.join(' | ')}\n`
  return [TYPES, ...rendered, any].join('\n')
}

/** A model within the request that has a control of its own, by the name of its schema. */
const RANKS = 'DistributedTraining'

function listOf(list, schema, schemas) {
  const required = new Set(schema.required ?? [])
  const fields = Object.entries(schema.properties)
    .filter(([, property]) => !isGroupOfFields(property))
    .map(([name, property]) =>
      isRanks(property) ? describeRanks(name, property, schemas[RANKS]) : describe(name, property, required.has(name)),
    )
  const lines = fields.map((field) => `  ${JSON.stringify(field)},`).join('\n')
  return `export const ${list} = [\n${lines}\n] as const satisfies readonly Field[]\n`
}

function refersTo(property) {
  return (property.anyOf ?? [property]).flatMap((each) => (each.$ref ? [each.$ref.split('/').at(-1)] : []))
}

/** A model within the request: no single control can show it. */
function isGroupOfFields(property) {
  return refersTo(property).some((name) => name !== RANKS)
}

function isRanks(property) {
  return refersTo(property).includes(RANKS)
}

/** The limits are those of the number of processes, the options the backends of a host file. */
function describeRanks(name, property, { properties }) {
  const { processes, backend } = properties
  const limits = processes.anyOf.find((each) => each.type === 'integer')
  return {
    name,
    kind: 'ranks',
    title: property.title,
    help: property.description,
    group: property.group,
    level: property.level,
    nullable: true,
    default: null,
    min: limits.minimum,
    max: limits.maximum,
    options: backend.enum,
  }
}

function describe(name, property, required) {
  const variants = property.anyOf ?? [property]
  const nullable = variants.some((each) => each.type === 'null')
  const main = variants.find((each) => each.type !== 'null')
  const limits = { ...main, ...property }
  const kind = property.texts ? 'texts' : kindOf(main, variants)
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
    max: property.texts ? limits.maxItems : limits.maximum,
    above: limits.exclusiveMinimum,
    below: limits.exclusiveMaximum,
    pattern: limits.pattern,
    maxLength: property.texts ? main.items.maxLength : limits.maxLength,
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
