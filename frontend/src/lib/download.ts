/** Hand the user a file made in the page. */

export function saveFile(name: string, content: Blob | string, type = 'text/plain'): void {
  const blob = typeof content === 'string' ? new Blob([content], { type }) : content
  const address = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The download has its own hold on the blob once the click was handled.
  setTimeout(() => {
    URL.revokeObjectURL(address)
  }, 1000)
}

/** Letters, digits, dot, dash and underscore only, so the name works on every system. */
export function safeFileName(text: string): string {
  return text.replace(/[^\w.-]+/g, '-').replace(/^[-.]+|-+$/g, '') || 'run'
}
