/** Supervised fine-tuning: the start page without a choice of method. */
import { StartPage } from './StartPage'
import { STANDARD } from './startKinds'

export function SetupPage() {
  return <StartPage kind={STANDARD} />
}
