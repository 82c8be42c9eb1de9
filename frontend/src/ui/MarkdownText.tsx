/** A document of this project as a page shows it. */
import { Fragment } from 'react'
import { parseMarkdown, parseSpans, type Block } from './markdown'

export function MarkdownText({ text }: { readonly text: string }) {
  return <Blocks blocks={parseMarkdown(text)} />
}

function Blocks({ blocks }: { readonly blocks: readonly Block[] }) {
  return (
    <div className="grid grid-cols-1 gap-2.5">
      {blocks.map((block, index) => (
        <Shown key={index} block={block} />
      ))}
    </div>
  )
}

function Shown({ block }: { readonly block: Block }) {
  switch (block.kind) {
    case 'heading':
      return <h3 className="mt-2 text-small font-semibold text-ink first:mt-0"><Spans text={block.text} /></h3>
    case 'paragraph':
      return <p><Spans text={block.text} /></p>
    case 'code':
      return <pre className="rounded-field bg-sunken p-3 font-mono text-tiny break-words whitespace-pre-wrap">{block.text}</pre>
    case 'list': {
      const List = block.ordered ? 'ol' : 'ul'
      return (
        <List className={block.ordered ? 'list-decimal space-y-1.5 pl-5' : 'list-disc space-y-1.5 pl-5'}>
          {block.items.map((item, index) => <li key={index}><Blocks blocks={item} /></li>)}
        </List>
      )
    }
    case 'table':
      return (
        <table className="w-full text-left">
          <thead>
            <tr>{block.head.map((cell, index) => <th key={index} className="pr-3 pb-1 align-top font-medium"><Spans text={cell} /></th>)}</tr>
          </thead>
          <tbody>
            {block.rows.map((row, index) => (
              <tr key={index} className="border-t border-line">
                {row.map((cell, place) => <td key={place} className="py-1 pr-3 align-top"><Spans text={cell} /></td>)}
              </tr>
            ))}
          </tbody>
        </table>
      )
  }
}

function Spans({ text }: { readonly text: string }) {
  return parseSpans(text).map(({ kind, text: words }, index) => {
    switch (kind) {
      case 'code':
        return <code key={index} className="rounded-small bg-sunken px-1 font-mono text-tiny break-words">{words}</code>
      case 'strong':
        return <strong key={index} className="font-medium text-ink">{words}</strong>
      case 'emphasis':
        return <em key={index}>{words}</em>
      case 'text':
        return <Fragment key={index}>{words}</Fragment>
    }
  })
}
