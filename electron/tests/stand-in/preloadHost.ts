/** Where the built preload runs in the stand-in: beside the page, with only "electron" to require. */

/** A script for the page: `source` is the built preload, `platform` what `process.platform` says. */
export function preloadScript(source: string, platform: string): string {
  // An init script runs in every frame and in the page's own world; Electron's runs in the top
  // frame and in a world of its own. So the frame is checked, and what is captured is removed.
  return `(() => {
    const invoke = window.__shimInvoke
    delete window.__shimInvoke
    if (window.top !== window) return
    const heard = new Map()
    Object.defineProperty(window, '__shimHear', {
      value: (channel, ...args) => {
        for (const listener of [...(heard.get(channel) ?? [])]) listener({}, ...args)
      },
    })
    const electron = {
      contextBridge: {
        exposeInMainWorld: (name, api) =>
          Object.defineProperty(window, name, { value: Object.freeze(api), enumerable: true }),
      },
      ipcRenderer: {
        invoke: async (channel, ...args) => {
          const answer = await invoke(channel, args)
          if ('error' in answer) throw new Error(answer.error)
          return answer.value
        },
        on: (channel, listener) => {
          if (!heard.has(channel)) heard.set(channel, new Set())
          heard.get(channel).add(listener)
        },
        removeListener: (channel, listener) => heard.get(channel)?.delete(listener),
      },
      webUtils: { getPathForFile: () => '' },
    }
    const process = { platform: ${JSON.stringify(platform)} }
    const require = (name) => {
      if (name === 'electron') return electron
      throw new Error('A sandboxed preload may not require ' + name)
    }
    const module = { exports: {} }
    ;((require, process, module, exports) => {${source}
    })(require, process, module, module.exports)
  })()`
}
