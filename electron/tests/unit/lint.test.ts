import { resolve } from 'node:path'
import { ESLint } from 'eslint'
import { expect, test } from 'vitest'

const cwd = resolve(import.meta.dirname, '..', '..')

/** The messages for `code` as if it stood in `src/<file>`. */
async function lint(file: string, code: string): Promise<string> {
  const eslint = new ESLint({ cwd })
  const results = await eslint.lintText(code, { filePath: resolve(cwd, 'src', file) })
  return results.flatMap((result) => result.messages.map(({ message }) => message)).join('\n')
}

test.each([
  ['window.ts', 'export const a = { nodeIntegration: true }', 'never gets Node'],
  ['window.ts', 'export const a = { nodeIntegrationInWorker: true }', 'never gets Node'],
  ['window.ts', 'export const a = { contextIsolation: false }', 'stays isolated'],
  ['window.ts', 'export const a = { sandbox: false }', 'stays isolated'],
  ['window.ts', 'export const a = { webSecurity: false }', 'stays isolated'],
  ['shell.ts', "import { app } from 'electron'\nexport const a = app", 'through the port'],
  ['ipc.ts', "import { run } from './shell'\nexport const a = run", 'from the layers below'],
  ['preload.ts', "import { originOf } from './ipc'\nexport const a = originOf", 'types only'],
])('%s with %j does not land', async (file, code, reason) => {
  expect(await lint(file, code)).toContain(reason)
})
