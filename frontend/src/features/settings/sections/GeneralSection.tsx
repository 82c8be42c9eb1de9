/** How the app looks and behaves: theme, messages at the end of a run, the machine's sleep. */
import type { SettingsView } from '@/api/generated'
import { askToNotify, useNotifyPermission } from '@/ui/feedback/notifications'
import { chooseTheme, useTheme, type Theme } from '@/lib/theme'
import { Card } from '@/ui/Card'
import { LinkButton } from '@/ui/controls/LinkButton'
import { Segmented } from '@/ui/controls/Segmented'
import { Switch } from '@/ui/controls/Switch'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { useChange } from '@/features/settings/useChange'

const THEMES: readonly { readonly value: Theme; readonly label: string }[] = [
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
  { value: 'system', label: 'As the system' },
]

export function GeneralSection({ settings }: { readonly settings: SettingsView }) {
  const theme = useTheme()
  const { change, problem } = useChange()
  const choose = (next: Theme) => {
    chooseTheme(next)
    void change({ theme: next })
  }
  return (
    <Card title="General" bodyClassName="flex flex-col gap-5">
      {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
        <span className="text-small font-medium text-ink">Appearance</span>
        <Segmented label="Appearance" value={theme} choices={THEMES} onChoose={choose} />
      </div>
      <Switch
        label="Notify me when a run ends"
        checked={settings.notifications}
        onChange={(notifications) => void change({ notifications })}
        help={<Permission on={settings.notifications} />}
      />
      <Switch
        label="Keep this computer awake while something runs"
        checked={settings.keep_awake}
        onChange={(keep_awake) => void change({ keep_awake })}
        help={awakeHelp(settings)}
      />
    </Card>
  )
}

function Permission({ on }: { readonly on: boolean }) {
  const permission = useNotifyPermission()
  if (!on || permission === 'granted') return <>When a run ends while you work in another window.</>
  if (permission === 'missing') return <>This browser shows no notifications.</>
  if (permission === 'denied') return <>This browser blocks them for this page. Allow them in its settings for this address.</>
  return (
    <>
      This browser asks for permission first. <LinkButton onClick={() => void askToNotify()}>Allow notifications</LinkButton>
    </>
  )
}

function awakeHelp({ keep_awake, keeping_awake }: SettingsView): string {
  if (keeping_awake.by === null)
    return 'This system has no program for it (caffeinate, systemd-inhibit): turn its sleep off yourself before a long run.'
  const now = keep_awake && keeping_awake.active ? ' It is kept awake now.' : ''
  return `For training, evaluation and other jobs. The display may sleep.${now}`
}
