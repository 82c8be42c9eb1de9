/** The theme is kept in the browser, so that a page has it at once, and by the service, so that every window has it. */
import { useEffect } from 'react'
import { useChangeSettingsMutation, useReadSettingsQuery } from '@/api/generated'
import { adoptTheme, chooseTheme, type Theme } from '@/lib/theme'

export function useSavedTheme(): void {
  const theme = useReadSettingsQuery().data?.theme
  useEffect(() => {
    if (theme) adoptTheme(theme)
  }, [theme])
}

export function useThemeChoice(): (theme: Theme) => void {
  const [change] = useChangeSettingsMutation()
  return (theme) => {
    chooseTheme(theme)
    void change({ settingsPatch: { theme } })
  }
}
