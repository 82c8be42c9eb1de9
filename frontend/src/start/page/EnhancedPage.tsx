/** Runs by rewards or preferences: the start page of a chosen method. */
import { StartPage } from './StartPage'
import { ENHANCED } from './startKinds'

export function EnhancedPage() {
  return <StartPage kind={ENHANCED} />
}
