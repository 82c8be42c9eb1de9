/** One change of the settings: what it leads to, and why it was refused. */
import { readProblem } from '@/api/errors'
import { useChangeSettingsMutation, type SettingsPatch } from '@/api/generated'

export function useChange() {
  const [send, { error, isLoading, reset }] = useChangeSettingsMutation()
  const change = async (settingsPatch: SettingsPatch): Promise<boolean> => !(await send({ settingsPatch })).error
  return { change, saving: isLoading, problem: readProblem(error), reset }
}
