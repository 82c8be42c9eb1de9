/** Answers of a server as these tests need them. */
import type { MethodInfo, MethodParameter, RewardFunctionsAnswer } from '@/api/generated'

const parameter = (part: Partial<MethodParameter> & Pick<MethodParameter, 'name' | 'title' | 'type'>): MethodParameter => ({
  help: '',
  default: '',
  nullable: false,
  minimum: null,
  maximum: null,
  above: null,
  below: null,
  range: null,
  options: null,
  unit: null,
  group: 'objective',
  level: 'simple',
  inactive: null,
  ...part,
})

const inactive = { field: 'updates_per_rollout', equals: 1, reason: 'At one update nothing is ever clipped.' }

const PARAMETERS: readonly MethodParameter[] = [
  parameter({ name: 'group_size', title: 'Group size', type: 'integer', group: 'rollouts', default: 4, minimum: 2, maximum: 16 }),
  parameter({ name: 'updates_per_rollout', title: 'Updates per rollout', type: 'integer', default: 1, minimum: 1 }),
  parameter({ name: 'epsilon', title: 'Epsilon', type: 'number', default: 1e-4, above: 0, below: 1, inactive }),
  parameter({ name: 'grpo_loss_type', title: 'Normalisation', type: 'choice', default: 'dr_grpo', options: ['dr_grpo'] }),
  parameter({ name: 'reward_functions', title: 'Reward functions', type: 'text', group: 'rewards' }),
  parameter({ name: 'reward_weights', title: 'Weights', type: 'list', group: 'rewards', default: null, nullable: true }),
  parameter({ name: 'reward_functions_file', title: 'Own functions', type: 'text', group: 'rewards' }),
  parameter({ name: 'success_function', title: 'Success', type: 'text', group: 'rewards' }),
]

const method = (part: Partial<MethodInfo>): MethodInfo => ({
  display_name: 'SFT',
  description: 'Supervised fine-tuning.',
  complexity: '⭐',
  stars: 1,
  use_case: 'Teaching a style.',
  badge: 'Baseline',
  resource_intensity: 'low',
  estimated_speedup: null,
  data_format: 'sft',
  data_example: '{"messages": []}',
  requires_reasoning_chains: false,
  family: 'sft',
  generates: false,
  select_by: 'val_loss',
  resumable: true,
  least_batch: 1,
  defaults: {},
  suggested: {},
  notes: [],
  source: '',
  additional_params: [],
  ...part,
})

export const METHODS: Readonly<Record<string, MethodInfo>> = {
  sft: method({}),
  dr_grpo: method({
    display_name: 'Dr. GRPO',
    stars: 4,
    badge: 'Unbiased',
    resource_intensity: 'high',
    data_format: 'prompt_answer',
    data_example: '{"prompt": "…", "answer": "…"}',
    family: 'policy',
    suggested: { batch_size: 4 },
    additional_params: [...PARAMETERS],
  }),
  dpo: method({
    display_name: 'DPO',
    family: 'preference',
    data_format: 'preference',
    defaults: { learning_rate: 1e-6 },
    additional_params: [parameter({ name: 'beta', title: 'Beta', type: 'number', default: 0.1, minimum: 0 })],
  }),
}

export const REWARDS: RewardFunctionsAnswer = {
  success: true,
  functions: [
    {
      name: 'token_f1',
      source: 'app',
      doc: 'How many words are shared. More.',
      minimum: 0,
      maximum: 1,
      needs: ['answer'],
      parameters: [],
      example: 'token_f1',
      file: null,
    },
    {
      name: 'length_window',
      source: 'app',
      doc: '1 while the length is inside.',
      minimum: 0,
      maximum: 1,
      needs: [],
      parameters: [
        { name: 'shortest', help: '', default: null },
        { name: 'longest', help: '', default: null },
      ],
      example: 'length_window(20;80)',
      file: null,
    },
  ],
  default: ['r1_accuracy_reward_func'],
  files: [],
}
