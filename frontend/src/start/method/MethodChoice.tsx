/** The choice of a method, or what came instead of the list of methods. */
import type { Problem } from '@/api/errors'
import type { FieldErrors } from '@/start/fields/form'
import type { StartForm } from '@/start/fields/useStartForm'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { MethodCards } from './MethodCards'
import type { Methods } from './methodSpecs'

type Props = {
  readonly form: StartForm
  readonly errors: FieldErrors
  readonly methods: Methods
  readonly chosen: string | null
  readonly problem: Problem | null
  readonly loaded: boolean
}

export function MethodChoice({ form, errors, methods, chosen, problem, loaded }: Props) {
  return (
    <>
      {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      {loaded ? (
        <MethodCards
          methods={methods}
          chosen={chosen}
          onChoose={(id) => form.set('training_method', id)}
          error={errors.training_method}
        />
      ) : (
        <Skeleton className="h-52 rounded-card" />
      )}
    </>
  )
}
