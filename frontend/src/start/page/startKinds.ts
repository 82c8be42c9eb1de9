/** The two start pages as data: what they are called, and which form and defaults they have. */
import type { EnhancedStart, StandardStart } from '@/api/generated'
import type { FormSpec } from '@/start/fields/spec'
import type { StartPath } from './handoffSlice'
import { WHOLE } from '@/start/method/methodSpecs'
import { SETUP } from './setupSpec'

export type StartRequest = StandardStart | EnhancedStart

export type StartKind = {
  readonly path: StartPath
  readonly title: string
  readonly subtitle: string
  /** Of the settings' file, while the adapter has no name. */
  readonly fileName: string
  /** Every field that the page may have, whatever its method. */
  readonly whole: FormSpec
  /** Whether the method is chosen here; else it is supervised fine-tuning. */
  readonly byMethod: boolean
  readonly lora: { readonly title: string; readonly subtitle: string }
}

export const STANDARD: StartKind = {
  path: '/setup',
  title: 'Setup',
  subtitle: 'Supervised fine-tuning with full-layer LoRA',
  fileName: 'setup',
  whole: SETUP,
  byMethod: false,
  lora: {
    title: 'Full-Layer LoRA Configuration',
    subtitle: 'Trains every matrix of every layer. Attention-only LoRA learns less: “LoRA Without Regret”, Thinking Machines, 2025.',
  },
}

export const ENHANCED: StartKind = {
  path: '/enhanced-setup',
  title: 'Enhanced Setup',
  subtitle: 'Reinforcement learning from rewards, and learning from preferences',
  fileName: 'enhanced',
  whole: WHOLE,
  byMethod: true,
  lora: {
    title: 'LoRA',
    subtitle: 'Query and value matrices by default: the attention-only baseline for Setup’s full-layer runs.',
  },
}

/** Requests that name a method go to the route of methods. */
export function namesMethod(request: StartRequest): request is EnhancedStart {
  return 'training_method' in request
}
