/** Starts the page: theme first (no flash), then the store and the routes. */
import '@fontsource-variable/inter/wght.css'
import '@/index.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from '@/app/App'
import { makeStore } from '@/app/store'
import { applyTheme, readTheme } from '@/lib/theme'

applyTheme(readTheme())

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root element.')
createRoot(root).render(
  <StrictMode>
    <App store={makeStore()} />
  </StrictMode>,
)
