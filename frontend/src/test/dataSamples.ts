/** Answers of a server, for the tests of this page. */
import type { DatasetInspection, DatasetJob, DatasetPreview, TokenLengths } from '@/api/generated'

export const PATH = '/data/rows.jsonl'

export const LENGTHS: TokenLengths = {
  model: 'demo',
  rows: 100,
  measured: 100,
  sampled: false,
  total_tokens: 5000,
  shortest: 10,
  mean: 50,
  median: 48,
  p95: 90,
  longest: 118,
  bins: [
    { start: 0, end: 64, rows: 86 },
    { start: 64, end: 119, rows: 14 },
  ],
  max_seq_length: 64,
  truncated_rows: 14,
  truncated_share: 0.14,
  cut_tokens: 300,
  without_target: 0,
}

export function inspection(part: Partial<DatasetInspection> = {}): DatasetInspection {
  return {
    path: PATH,
    format: 'chat',
    columns: ['messages'],
    rows: 100,
    good_rows: 100,
    size_bytes: 73_000,
    sample: [{ messages: [{ role: 'user', content: 'Who is Pip?' }] }],
    problems: [],
    problem_count: 0,
    duplicates: { rows: 0, groups: [] },
    lengths: LENGTHS,
    ...part,
  }
}

export function job(part: Partial<DatasetJob> = {}): DatasetJob {
  return {
    job_id: 'job-1',
    kind: 'inspection',
    state: 'completed',
    phase: 'done',
    progress: 1,
    path: PATH,
    result: inspection(),
    ...part,
  }
}

export const PREVIEW: DatasetPreview = {
  path: PATH,
  model: 'demo',
  row: 1,
  line: 1,
  last: false,
  format: 'chat',
  shown_as: 'chat',
  text: 'Q\nAB',
  tokens: [
    { id: 1, text: 'Q', trained: false, cut: false, special: false },
    { id: 2, text: '\n', trained: false, cut: false, special: true },
    { id: 3, text: 'A', trained: true, cut: false, special: false },
    { id: 4, text: 'B', trained: false, cut: true, special: false },
  ],
  total_tokens: 4,
  trained_tokens: 1,
  cut_tokens: 1,
  first_trained: 2,
  max_seq_length: 64,
  mask_prompt: true,
  pad_trained: false,
  notes: ['Every answer of the conversation is learned, each with the end of its turn.'],
}
