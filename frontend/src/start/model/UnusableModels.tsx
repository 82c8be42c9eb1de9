/** The folders that were found but can't be trained, each with its reason. */
import type { ModelInfo } from '@/api/generated'
import { plural } from '@/lib/format'

export function UnusableModels({ models }: { readonly models: readonly ModelInfo[] }) {
  const bad = models.filter((model) => model.problem !== null)
  if (bad.length === 0) return null
  return (
    <details className="mt-2.5 text-small">
      <summary className="w-fit cursor-pointer rounded-small text-soft hover:text-ink">
        Why {plural(bad.length, 'model')} can’t be used
      </summary>
      <ul className="mt-1.5 flex flex-col gap-1.5 border-l-2 border-line pl-3">
        {bad.map((model) => (
          <li key={model.path}>
            <span className="font-medium break-words">{model.name}</span>
            <span className="block break-words text-soft">{model.problem}</span>
          </li>
        ))}
      </ul>
    </details>
  )
}
