// Prints, as JSON, the milliseconds of every request that the pages make by themselves:
// node page_requests.mjs <server's address> <path of a Chromium>
import { chromium } from 'playwright-core'

const PAGES = ['#/setup', '#/enhanced-setup', '#/training', '#/results', '#/compare', '#/data']
const VISITS = 5

const [url, executablePath] = process.argv.slice(2)
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
})
try {
  const page = await browser.newPage()
  const taken = []
  for (let visit = 0; visit < VISITS; visit += 1) {
    for (const hash of PAGES) {
      await page.goto('about:blank')
      await page.goto(`${url}/${hash}`, { waitUntil: 'networkidle' })
      const asked = await page.evaluate(() =>
        performance
          .getEntriesByType('resource')
          .filter((entry) => entry.initiatorType === 'fetch' && !entry.name.includes('/assets/'))
          .map((entry) => entry.responseEnd - entry.requestStart),
      )
      taken.push(...asked)
    }
  }
  if (taken.length === 0) throw new Error('The pages made no requests.')
  console.log(JSON.stringify(taken))
} finally {
  await browser.close()
}
