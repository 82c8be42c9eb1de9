/** What the palette can do now: with the run that lives, with the last one, and from anywhere. */
import { Copy, FolderOpen, Keyboard, Pause, Play, Ruler, Square, type LucideIcon } from 'lucide-react'
import { useDispatch, useSelector } from 'react-redux'
import { useLocation, useNavigate } from 'react-router'
import { readProblem } from '@/api/errors'
import { useLazyReadSessionQuery, usePauseTrainingMutation, useResumeTrainingMutation, type SessionSummary } from '@/api/generated'
import { readSession } from '@/features/results/session/record'
import { sendCommand } from '@/lib/commands'
import { isMac } from '@/lib/bridge'
import { selectIsLive, selectRun } from '@/run/reducer/runSlice'
import { handedTo, setupAsked } from '@/start/page/handoffSlice'
import { toastRaised } from '@/ui/feedback/toastSlice'

export type PaletteAction = {
  readonly name: string
  /** Other words that it is found by. */
  readonly words?: string
  readonly note?: string
  readonly icon: LucideIcon
  readonly act: () => void
}

/** Where a press of Start is possible right away. */
const STARTS: ReadonlySet<string> = new Set(['/setup', '/enhanced-setup'])
const KEY = isMac() ? '⌘' : 'Ctrl '

/** `runs` are the newest first. */
export function usePaletteActions(runs: readonly SessionSummary[], onShortcuts: () => void): readonly PaletteAction[] {
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const dispatch = useDispatch()
  const run = useSelector(selectRun)
  const live = useSelector(selectIsLive)
  const [pause] = usePauseTrainingMutation()
  const [resume] = useResumeTrainingMutation()
  const [read] = useLazyReadSessionQuery()
  const last = runs.find((each) => each.problem == null)
  const trained = runs.find((each) => each.adapter_ready && each.adapter_name)

  const say = (error: unknown) => {
    const problem = readProblem(error)
    if (problem) dispatch(toastRaised({ level: 'error', message: problem.detail, hint: problem.hint, cause: 'run' }))
  }
  const onPage = (path: string, command: Parameters<typeof sendCommand>[0]) => {
    void navigate(path)
    sendCommand(command)
  }
  const duplicate = async (id: string) => {
    const { data, error } = await read({ sessionId: id })
    if (!data) return say(error)
    const session = readSession(data, id)
    const asked = { name: session.name, config: session.repeatable }
    dispatch(setupAsked(asked))
    await navigate(handedTo(asked))
  }
  const actions: (PaletteAction | false | undefined)[] = [
    {
      name: live ? 'Add a run to the queue' : 'Start training',
      words: 'start run train',
      note: `Setup · ${KEY}↩`,
      icon: Play,
      act: () => (STARTS.has(pathname) ? sendCommand('start-training') : void navigate('/setup')),
    },
    run.state === 'running' && { name: 'Pause training', icon: Pause, act: () => void pause().then(({ error }) => say(error)) },
    run.state === 'paused' && { name: 'Resume training', words: 'continue', icon: Play, act: () => void resume().then(({ error }) => say(error)) },
    live && run.state !== 'stopping' && { name: 'Stop training…', note: `${KEY}.`, icon: Square, act: () => onPage('/training', 'stop-training') },
    last && { name: 'Duplicate the last run', words: 'repeat again', note: last.adapter_name ?? '', icon: Copy, act: () => void duplicate(last.session_id) },
    trained && {
      name: 'Evaluate the last adapter',
      words: 'metrics compare',
      note: trained.adapter_name ?? '',
      icon: Ruler,
      act: () => void navigate(`/compare?view=evaluate&adapter=${encodeURIComponent(trained.adapter_name ?? '')}`),
    },
    { name: 'Open a training file…', words: 'data browse', icon: FolderOpen, act: () => onPage('/setup', 'open-training-data') },
    { name: 'Keyboard shortcuts', words: 'help keys', note: '?', icon: Keyboard, act: onShortcuts },
  ]
  return actions.filter((each) => each !== false && each !== undefined)
}
