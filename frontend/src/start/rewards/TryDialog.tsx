/** The scores of the chosen functions, before any training: on the rows' own answers, or on pasted completions. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useLazyTryRewardFunctionsQuery, type TryRequest } from '@/api/generated'
import { parseNumber } from '@/lib/numbers'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Field } from '@/ui/controls/Field'
import { NumberInput } from '@/ui/controls/NumberInput'
import { Segmented } from '@/ui/controls/Segmented'
import { CONTROL } from '@/ui/controls/TextInput'
import { TryResult } from './TryResult'

type Props = {
  readonly rewards: string
  readonly weights: string
  readonly file: string
  readonly path: string
  readonly onClose: () => void
}

type What = 'rows' | 'pasted'
const MOST = 200

export function TryDialog({ rewards, weights, file, path, onClose }: Props) {
  const [what, setWhat] = useState<What>('rows')
  const [amount, setAmount] = useState('8')
  const [pasted, setPasted] = useState('')
  const [score, { currentData, error, isFetching }] = useLazyTryRewardFunctionsQuery()
  const problem = isFetching ? null : readProblem(error)
  const rows = parseNumber(amount)
  const wrong = rows === null || !Number.isInteger(rows) || rows < 1 || rows > MOST ? `A whole number from 1 to ${MOST}.` : null
  const completions = splitCompletions(pasted)
  const ready = what === 'rows' ? wrong === null : completions.length > 0
  const run = () => {
    const common: TryRequest = {
      reward_functions: rewards,
      reward_weights: weights === '' ? null : weights,
      reward_functions_file: file === '' ? null : file,
      data_path: path,
    }
    const more = what === 'rows' ? { samples: rows ?? 1 } : { samples: 1, completions: [...completions] }
    void score({ tryRequest: { ...common, ...more } })
  }
  return (
    <Dialog
      open
      title="Try rewards"
      size="wide"
      sheet
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button kind="primary" disabled={!ready} busy={isFetching && 'Scoring…'} onClick={run}>
            Score
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <Segmented
          label="Score"
          className="self-start"
          value={what}
          choices={[
            { value: 'rows', label: 'Reference answers' },
            { value: 'pasted', label: 'Pasted completions' },
          ]}
          onChoose={setWhat}
        />
        {what === 'rows' ? (
          <Field label="Rows" help="From the start of the training file. Reference answers should score high." error={wrong}>
            {(control) => <NumberInput {...control} value={amount} onText={setAmount} step={1} min={1} max={MOST} className="max-w-40" />}
          </Field>
        ) : (
          <Field label="Completions" help="For the first row of the file. Separate them with a line of three dashes (---).">
            {(control) => (
              <textarea
                {...control}
                value={pasted}
                rows={5}
                spellCheck={false}
                onChange={(event) => setPasted(event.target.value)}
                className={`${CONTROL} px-2.5 py-1.5 font-mono text-small`}
              />
            )}
          </Field>
        )}
        {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
        {currentData && !isFetching && !problem ? <TryResult answer={currentData} /> : null}
      </div>
    </Dialog>
  )
}

export function splitCompletions(text: string): readonly string[] {
  return text
    .split(/^---\s*$/m)
    .map((each) => each.replace(/^\n+|\n+$/g, ''))
    .filter((each) => each.trim() !== '')
}
