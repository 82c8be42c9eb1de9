/** Light → dark → as the system says. */
import { Monitor, Moon, Sun } from 'lucide-react'
import { useTheme, type Theme } from '@/lib/theme'
import { useThemeChoice } from '@/app/useSavedTheme'
import { IconButton } from '@/ui/controls/IconButton'

const LOOKS = { light: Sun, dark: Moon, system: Monitor }
const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const NAMES: Record<Theme, string> = { light: 'Light', dark: 'Dark', system: 'System' }

export function ThemeButton() {
  const theme = useTheme()
  const choose = useThemeChoice()
  return (
    <IconButton
      icon={LOOKS[theme]}
      label={`Theme: ${NAMES[theme]}. Change to ${NAMES[NEXT[theme]]}`}
      onClick={() => choose(NEXT[theme])}
    />
  )
}
