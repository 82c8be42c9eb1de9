/** Everything that a standard run needs, and what it will cost. */
import { PageHeader } from '@/ui/PageHeader'

export function SetupPage() {
  return <PageHeader title="Setup" subtitle="Supervised fine-tuning with full-layer LoRA" />
}
