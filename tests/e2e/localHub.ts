// A Hugging Face hub on loopback with one data set, so that no test needs the real one.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const CHECKOUT = resolve(import.meta.dirname, '..', '..')

export type LocalHub = { readonly url: string; readonly stop: () => Promise<void> }

export async function startHub(repo: string, card: unknown, files: Readonly<Record<string, string>>): Promise<LocalHub> {
  const folder = mkdtempSync(join(tmpdir(), 'droid hub '))
  for (const [name, text] of Object.entries({ ...files, 'card.json': JSON.stringify(card) })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const child = spawn(join(CHECKOUT, '.venv/bin/python'), ['-m', 'tests.fakes.hub_process', repo, folder], {
    cwd: CHECKOUT,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exit = new Promise<void>((done) => child.once('exit', () => done()))
  for await (const url of createInterface({ input: child.stdout })) {
    return {
      url: url.trim(),
      stop: async () => {
        child.stdin.end()
        await exit
      },
    }
  }
  throw new Error('The hub did not start.')
}
