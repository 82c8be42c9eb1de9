/** The front end's layers as data: a file imports only what stands to the right of its room. */
import { readdirSync } from 'node:fs'
import js from '@eslint/js'
import jsxA11y from 'eslint-plugin-jsx-a11y'
import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

const outside = [
  { regex: '^(electron|node:.*|fs|path|child_process|os)$', message: 'The renderer reaches the desktop only through lib/bridge.' },
  { regex: '^\\.\\./', message: 'Import from other folders as "@/room/folder/file", and from the same one as "./file".' },
]
const rooms = ['main', 'app', 'features', 'start', 'run', 'api', 'ui', 'lib']
const features = readdirSync(`${import.meta.dirname}/src/features`)
const mayImport = {
  main: ['app', 'lib', 'ui'],
  app: ['features', 'start', 'run', 'api', 'ui', 'lib'],
  features: ['start', 'run', 'api', 'ui', 'lib'],
  start: ['run', 'api', 'ui', 'lib'],
  run: ['api', 'ui', 'lib'],
  api: ['lib'],
  ui: ['lib'],
  lib: [],
}

/** `feature` is the page a file belongs to: it may import its own folders, and no other page's. */
const zone = (room, files, feature) => {
  const closed = rooms.filter((other) => other !== room && !mayImport[room].includes(other))
  const others = feature ? [`features(?!/${feature}/)`] : []
  const names = [...closed, ...others]
  return {
    files,
    ignores: ['**/*.test.ts', '**/*.test.tsx'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...outside,
            { regex: `^@/(${names.join('|')})(/|$)`, message: `${room} may import only: ${mayImport[room].join(', ') || 'nothing'}.` },
          ],
        },
      ],
    },
  }
}

export default tseslint.config(
  { ignores: ['dist', 'src/api/generated.ts', 'src/api/frames.ts', 'src/api/fields.ts'] },
  js.configs.recommended,
  tseslint.configs.strict,
  jsxA11y.flatConfigs.strict,
  reactHooks.configs.flat['recommended-latest'],
  {
    files: ['src/**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'type'],
      'no-console': 'error',
      'max-lines': ['error', { max: 400 }],
      'no-restricted-syntax': [
        'error',
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: 'Server text is never HTML.' },
        { selector: "AssignmentExpression[left.property.name=/^(innerHTML|outerHTML)$/]", message: 'Server text is never HTML.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of strings.' },
        { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file itself.' },
      ],
    },
  },
  { files: ['src/**/*.tsx'], rules: { 'max-lines': ['error', { max: 250 }] } },
  { files: ['scripts/**/*.mjs'], languageOptions: { globals: { process: 'readonly', URL: 'readonly', console: 'readonly', structuredClone: 'readonly' } } },
  zone('main', ['src/main.tsx']),
  ...['app', 'start', 'run', 'api', 'ui', 'lib'].map((room) => zone(room, [`src/${room}/**/*.{ts,tsx}`])),
  ...features.map((name) => zone('features', [`src/features/${name}/**/*.{ts,tsx}`], name)),
)
