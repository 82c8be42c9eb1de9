import type { MenuItemConstructorOptions } from 'electron'
import { describe, expect, test } from 'vitest'

import { menuTemplate } from '../../src/menu'

type Item = MenuItemConstructorOptions
const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null

function allItems(items: readonly Item[]): Item[] {
  return items.flatMap((item) =>
    Array.isArray(item.submenu) ? [item, ...allItems(item.submenu.filter(isItem))] : [item],
  )
}

function built(platform: NodeJS.Platform = 'linux') {
  const done: unknown[] = []
  const note = (what: string) => () => done.push(what)
  const template = menuTemplate(platform, {
    send: (command) => done.push(command),
    reload: note('reload'),
    openInBrowser: note('browser'),
    showLogs: note('logs'),
  })
  const items = allItems(template)
  const press = (accelerator: string) => {
    const item = items.find((one) => one.accelerator === accelerator)
    ;(item?.click as (() => void) | undefined)?.()
  }
  return { items, press, done }
}

describe.each(['darwin', 'linux', 'win32'] as const)('the menu on %s', (platform) => {
  test('has no item that does nothing', () => {
    const idle = built(platform).items.filter(
      (item) => !item.click && !item.role && !item.submenu && item.type !== 'separator',
    )
    expect(idle).toEqual([])
  })

  test('uses no shortcut twice, and leaves Cmd-R alone', () => {
    const used = built(platform).items.flatMap((item) => item.accelerator ?? [])
    expect(new Set(used).size).toBe(used.length)
    expect(used).not.toContain('CmdOrCtrl+R')
    expect(built(platform).items.map((item) => item.role)).not.toContain('reload')
  })

  test('can paste, by the role that the system gives its own shortcut', () => {
    const pasting = built(platform).items.filter((item) => item.role === 'paste')
    expect(pasting).toHaveLength(1)
    expect(pasting[0]?.accelerator).toBeUndefined()
  })

  test('can quit', () => {
    expect(built(platform).items.filter((item) => item.role === 'quit')).toHaveLength(1)
  })
})

test.each([
  ['CmdOrCtrl+O', 'open-training-data'],
  ['CmdOrCtrl+Return', 'start-training'],
  ['CmdOrCtrl+.', 'stop-training'],
  ['CmdOrCtrl+F', 'find'],
  ['CmdOrCtrl+1', { page: 'setup' }],
  ['CmdOrCtrl+2', { page: 'enhanced-setup' }],
  ['CmdOrCtrl+3', { page: 'training' }],
  ['CmdOrCtrl+4', { page: 'results' }],
  ['CmdOrCtrl+5', { page: 'compare' }],
  ['CmdOrCtrl+6', { page: 'fusion' }],
])('%s asks the page for %j', (accelerator, command) => {
  const { press, done } = built()
  press(accelerator)
  expect(done).toEqual([command])
})
