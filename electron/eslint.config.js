/** What must never land in the shell: unsafe window options, and imports against the layers. */
import js from '@eslint/js'
import tseslint from 'typescript-eslint'

// A file imports only what stands to its right: main → shell → the rooms → ipc, log → bridge, port.
const layers = [
  ['main'],
  ['shell'],
  ['watch', 'environment', 'calls', 'menu', 'quit', 'window', 'loading'],
  ['backend'],
  ['ipc', 'log'],
  ['bridge', 'port'],
]

const closedTo = (layer) => [...layers.slice(0, layer + 1).flat(), 'preload']
const zone = (names, layer) => ({
  files: names.map((name) => `src/**/${name}.ts`),
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          { regex: `^\\.\\.?/(server/)?(${closedTo(layer).join('|')})$`, message: `${names.join(', ')}: import only from the layers below.` },
        ],
      },
    ],
  },
})

const unsafe = [
  {
    selector: "Property[key.name=/^nodeIntegration/][value.value=true]",
    message: 'The page never gets Node.',
  },
  {
    selector: 'Property[key.name=/^(contextIsolation|sandbox|webSecurity)$/][value.value=false]',
    message: 'The page stays isolated, sandboxed and under the same-origin rule.',
  },
  {
    selector: 'Property[key.name=/^(allowRunningInsecureContent|experimentalFeatures|webviewTag)$/][value.value=true]',
    message: 'Not needed, and a way out of the sandbox.',
  },
  { selector: 'TSEnumDeclaration', message: 'Use a union of strings.' },
  { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file itself.' },
]

export default tseslint.config(
  { ignores: ['dist'] },
  js.configs.recommended,
  tseslint.configs.strict,
  {
    files: ['src/**/*.ts', 'tests/**/*.ts'],
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': 'error',
      'max-lines': ['error', { max: 400 }],
      'no-restricted-syntax': ['error', ...unsafe],
    },
  },
  {
    // Reaching the real module outside Electron would try to download it.
    files: ['src/**/*.ts'],
    ignores: ['src/main.ts', 'src/preload.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { paths: [{ name: 'electron', message: 'Only types: the rest comes through the port.', allowTypeImports: true }] },
      ],
    },
  },
  // Electron's own overloads accept one event name each, so the port must keep them apart.
  { files: ['src/port.ts'], rules: { '@typescript-eslint/unified-signatures': 'off' } },
  ...layers.map(zone),
  {
    files: ['src/preload.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^\\./', message: 'A sandboxed preload shares types only.', allowTypeImports: true },
            { regex: '^node:', message: 'A sandboxed preload has no Node.' },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { process: 'readonly', require: 'readonly' } },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  { files: ['**/*.mjs'], languageOptions: { globals: { process: 'readonly', console: 'readonly' } } },
)
