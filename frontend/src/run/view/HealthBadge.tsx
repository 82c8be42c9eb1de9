/** The verdict on a run's health, in a word: what stands now, by the rules of docs/health.md. */
import type { Verdict } from '@/run/reducer/runReducer'
import { Badge } from '@/ui/Badge'

const LOOKS = {
  healthy: { tone: 'good', word: 'Healthy', title: 'No rule about losses, rewards, speed or memory finds a fault.' },
  watch: { tone: 'warn', word: 'Watch', title: 'Something may be wrong; the alerts below say what.' },
  act: { tone: 'bad', word: 'Act', title: 'Something is wrong; the alerts below say what to do.' },
} as const

/** Nothing before there is enough to judge by. */
export function HealthBadge({ verdict }: { readonly verdict: Verdict | null }) {
  if (verdict === null) return null
  const { tone, word, title } = LOOKS[verdict]
  return (
    <Badge tone={tone} title={title}>
      {word}
    </Badge>
  )
}
