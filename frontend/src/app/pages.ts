/** Every page of the app: its address, its name, its line in the sidebar. */
import {
  BookOpen,
  Boxes,
  ChartSpline,
  Columns2,
  Combine,
  Database,
  Settings2,
  SlidersHorizontal,
  Sparkles,
  type LucideIcon,
} from 'lucide-react'

export type PageInfo = {
  readonly path: string
  readonly name: string
  /** Where there is little room: one word out of the name. */
  readonly short?: string
  readonly line: string
  readonly icon: LucideIcon
}

export const MAIN_PAGES: readonly PageInfo[] = [
  { path: '/setup', name: 'Setup', line: 'Full-layer LoRA', icon: SlidersHorizontal },
  {
    path: '/enhanced-setup',
    name: 'Enhanced Setup',
    short: 'Enhanced',
    line: 'GRPO, preferences',
    icon: Sparkles,
  },
  { path: '/training', name: 'Training', line: 'Live run', icon: ChartSpline },
  { path: '/results', name: 'Results', line: 'Runs and their results', icon: BookOpen },
  {
    path: '/compare',
    name: 'Compare',
    line: 'Base vs adapter',
    icon: Columns2,
  },
  {
    path: '/fusion',
    name: 'Fusion',
    line: 'Merge adapters',
    icon: Combine,
  },
]

export const SIDE_PAGES: readonly PageInfo[] = [
  {
    path: '/data',
    name: 'Data',
    line: 'Inspect and convert',
    icon: Database,
  },
  {
    path: '/models',
    name: 'Models',
    line: 'Models and adapters',
    icon: Boxes,
  },
  {
    path: '/settings',
    name: 'Settings',
    line: 'Folders and engines',
    icon: Settings2,
  },
]
