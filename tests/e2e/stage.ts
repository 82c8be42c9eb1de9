// What most browser tests stand on: one browser for the file, and servers that end with their test.
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { launchBrowser, openPage, type Watched } from './browser.ts'
import { startServer, type Server } from './server.ts'

export type Stage = {
  /** A server on a free port, with a data root of its own unless one is given. */
  readonly serve: (dataDir?: string, port?: number) => Promise<Server>
  readonly open: (server: Server) => Promise<Watched>
}

/** Call once at the top of a test file. */
export function setStage(): Stage {
  let browser: Browser
  const servers: Server[] = []
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop()
  })
  afterAll(() => browser.close())
  return {
    serve: async (dataDir, port) => {
      const server = await startServer(dataDir, port)
      servers.push(server)
      return server
    },
    open: (server) => openPage(browser, server.url),
  }
}
