// @vitest-environment jsdom
import { expect, test } from 'vitest'
import { applyTheme, chooseTheme, readTheme, resolveTheme } from './theme'

const shown = () => document.documentElement.dataset['theme']

test('the system’s theme holds until one is chosen, and the choice is kept', () => {
  expect(readTheme()).toBe('system')
  applyTheme(readTheme())
  expect(shown()).toBe('light')
  chooseTheme('dark')
  expect(shown()).toBe('dark')
  expect(readTheme()).toBe('dark')
})

test('a stored value that is no theme is the system’s', () => {
  localStorage.setItem('droid.theme', '"pink"')
  expect(readTheme()).toBe('system')
  expect(resolveTheme('system')).toBe('light')
})
