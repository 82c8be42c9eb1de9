/** The sections of the Settings page, in order: `?at=<id>` in the address leads to one. */

export type SectionId = 'general' | 'folders' | 'defaults' | 'engines' | 'services' | 'messages' | 'api' | 'privacy' | 'help'

export const SECTIONS: readonly { readonly id: SectionId; readonly name: string }[] = [
  { id: 'general', name: 'General' },
  { id: 'folders', name: 'Folders' },
  { id: 'defaults', name: 'New runs' },
  { id: 'engines', name: 'Engines' },
  { id: 'services', name: 'Hub and judge' },
  { id: 'messages', name: 'Messages' },
  { id: 'api', name: 'API access' },
  { id: 'privacy', name: 'Privacy' },
  { id: 'help', name: 'Help and about' },
]

export const anchorOf = (id: SectionId) => `settings-${id}`
