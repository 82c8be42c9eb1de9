/** What the window shows before the server's page: a page without script and without network. */

const START = 'data:text/html;charset=utf-8,'

const page = (step: string, detail: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Droid FineTuning</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
  body { margin: 0; height: 100vh; display: grid; place-content: center; justify-items: center; gap: 1rem }
  p { margin: 0 } small { opacity: .7; max-width: 40rem; overflow-wrap: anywhere }
  i { width: 22px; height: 22px; border: 2px solid currentColor; border-right-color: transparent;
      border-radius: 50%; opacity: .6; animation: turn 1s linear infinite }
  @keyframes turn { to { transform: rotate(1turn) } }
  @media (prefers-reduced-motion: reduce) { i { animation: none } }
</style>
</head>
<body><i aria-hidden="true"></i><p role="status">${plain(step)}…</p><small>${plain(detail)}</small></body>
</html>`

/** The address of that page, with what is done now and, smaller, how far it is. */
export function loadingUrl(step = 'Starting the local server', detail = ''): string {
  return START + encodeURIComponent(page(step, detail))
}

export function isLoadingUrl(url: string): boolean {
  return url.startsWith(START)
}

function plain(text: string): string {
  return text.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`)
}
