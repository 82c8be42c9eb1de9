/** Save the form as a file, and fill it from one. */
import { useCallback } from 'react'
import { useDispatch } from 'react-redux'
import { configText, readConfig } from './configFile'
import type { FormSpec } from '@/start/fields/spec'
import type { StartForm } from '@/start/fields/useStartForm'
import { bridge } from '@/lib/bridge'
import { toastRaised } from '@/ui/feedback/toastSlice'

/** `whole`: the fields that a file may name, where the form has others now. */
export function useConfigFile({ spec, values, replace }: StartForm, title: string, whole: FormSpec = spec) {
  const dispatch = useDispatch()

  const save = useCallback(async () => {
    const name = `${String(values.adapter_name) || title}.json`
    const desktop = bridge()
    if (desktop) await desktop.saveFile(name, configText(spec, values))
    else download(name, configText(spec, values))
  }, [spec, values, title])

  const load = useCallback(
    async (file: File) => {
      const loaded = readConfig(whole, await file.text())
      if (loaded.kind === 'problem') {
        dispatch(toastRaised({ level: 'error', message: `${file.name} was not loaded.`, hint: loaded.message }))
        return
      }
      replace(loaded.edits)
      const left = loaded.left.length > 0 ? `Ignored, unknown here: ${loaded.left.join(', ')}.` : null
      dispatch(toastRaised({ level: 'good', message: `Settings loaded from ${file.name}.`, hint: left }))
    },
    [dispatch, replace, whole],
  )

  const pick = useCallback(() => {
    const input = document.createElement('input')
    input.type = 'file'
    input.accept = '.json,application/json'
    input.onchange = () => {
      const file = input.files?.[0]
      if (file) void load(file)
    }
    input.click()
  }, [load])

  return { save, load, pick }
}

function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  URL.revokeObjectURL(address)
}
