// The page scrolls inside the window: nothing can be scrolled past the status bar.
import { expect, test } from 'vitest'
import { setStage } from './stage.ts'

const PAGES = ['Setup', 'Enhanced Setup', 'Training', 'Results', 'Compare', 'Fusion', 'Data', 'Models']
const SIZES = [
  { width: 1440, height: 900 },
  { width: 900, height: 757 },
  { width: 390, height: 740 },
]

const stage = setStage()

test('no page is longer than the window, at any width', async () => {
  const server = await stage.serve()
  const { page } = await stage.open(server)
  const tooLong: string[] = []
  for (const name of PAGES) {
    await page.goto(`${server.url}/#/${name.toLowerCase().replace(' ', '-')}`)
    await page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
    for (const size of SIZES) {
      await page.setViewportSize(size)
      const { height, width } = await page.evaluate(() => {
        scrollTo(0, 10_000)
        const root = document.documentElement
        return { height: root.scrollHeight - innerHeight + scrollY, width: root.scrollWidth - innerWidth }
      })
      if (height > 0 || width > 0) tooLong.push(`${name} at ${size.width}: ${height} px down, ${width} px right`)
    }
  }
  expect(tooLong).toEqual([])
})
