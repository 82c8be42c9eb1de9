/** Every shortcut in one place; "?" opens it. */
import { isMac } from '@/lib/bridge'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'

type Group = { readonly name: string; readonly keys: readonly (readonly [keys: string, what: string])[] }

function groups(): readonly Group[] {
  const command = isMac() ? '⌘' : 'Ctrl '
  return [
    {
      name: 'Anywhere',
      keys: [
        [`${command}K`, 'Search pages, runs and actions'],
        ['?', 'This list'],
        ['Esc', 'Close a dialog'],
      ],
    },
    { name: 'Setup', keys: [[`${command}↩`, 'Start training, or add to the queue']] },
    {
      name: 'Training',
      keys: [
        [`${command}.`, 'Stop…'],
        ['← →', 'Move the cursor of the focused chart'],
        ['⇧ ← →', 'Move it ten reports at a time'],
      ],
    },
    {
      name: 'Compare',
      keys: [
        [`${command}↩`, 'Ask'],
        ['↩', 'Chat: send'],
        ['⇧ ↩', 'Chat: new line'],
        ['Esc', 'Chat: stop the answers'],
        ['1 2 0', 'Blind vote: answer A, answer B, tie'],
      ],
    },
  ]
}

export function ShortcutSheet({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog
      open
      title="Keyboard shortcuts"
      onClose={onClose}
      footer={
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <div className="flex flex-col gap-4">
        {groups().map(({ name, keys }) => (
          <section key={name} aria-label={name}>
            <h3 className="mb-1 text-small font-semibold text-ink">{name}</h3>
            <dl>
              {keys.map(([key, what]) => (
                <div key={what} className="flex items-baseline justify-between gap-4 border-b border-line py-1.5 last:border-0">
                  <dt className="text-soft">{what}</dt>
                  <dd>
                    <kbd className="rounded-small border border-line bg-sunken px-1.5 py-0.5 font-sans text-tiny whitespace-nowrap">{key}</kbd>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
