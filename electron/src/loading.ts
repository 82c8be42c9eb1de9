/** What the window shows while the server starts: a page without script and without network. */

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Droid FineTuning</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
  body { margin: 0; height: 100vh; display: grid; place-content: center; justify-items: center; gap: 1rem }
  i { width: 22px; height: 22px; border: 2px solid currentColor; border-right-color: transparent;
      border-radius: 50%; opacity: .6; animation: turn 1s linear infinite }
  @keyframes turn { to { transform: rotate(1turn) } }
  @media (prefers-reduced-motion: reduce) { i { animation: none } }
</style>
</head>
<body><i aria-hidden="true"></i><p role="status">Starting the local server…</p></body>
</html>`

export const LOADING_URL = `data:text/html;charset=utf-8,${encodeURIComponent(PAGE)}`
