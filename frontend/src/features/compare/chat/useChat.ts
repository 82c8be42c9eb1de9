/** The conversation of this window, there again after a reload; saved by the server. */
import type { ThunkDispatch, UnknownAction } from '@reduxjs/toolkit'
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { useDispatch } from 'react-redux'
import { readProblem, type Problem } from '@/api/errors'
import { api, useCreateChatMutation, useReplaceChatMutation, type Chat } from '@/api/generated'
import { readOfWindow, writeOfWindow } from '@/lib/storage'
import type { Chatter, Save } from './chatter'

const KEY = 'compare-chat'

export function useChat(chatter: Chatter, onOpened: (chat: Chat) => void) {
  const { conversation, asked } = useSyncExternalStore(chatter.subscribe, chatter.snapshot)
  const dispatch = useDispatch<ThunkDispatch<unknown, unknown, UnknownAction>>()
  const [problem, setProblem] = useState<Problem | null>(null)
  const { id } = conversation

  const open = useCallback(
    async (chosen: string) => {
      // Not followed: a deleted one would be read again.
      const { data, error } = await dispatch(api.endpoints.readChat.initiate({ chatId: chosen }, { subscribe: false, forceRefetch: true }))
      setProblem(readProblem(error))
      if (!data || chatter.busy) return
      chatter.open(data)
      onOpened(data)
    },
    [dispatch, chatter, onOpened],
  )
  useEffect(() => {
    const { id: shown, turns } = chatter.snapshot().conversation
    const left = readOfWindow(KEY, (value) => (typeof value === 'string' ? value : undefined))
    // What can't be read again is not asked for twice.
    writeOfWindow(KEY, shown)
    if (shown === null && turns.length === 0 && !chatter.busy && left !== undefined) void Promise.resolve(left).then(open)
    // Once: from then on the window has its conversation.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [])
  useEffect(() => {
    if (id !== null) writeOfWindow(KEY, id)
  }, [id])
  const restart = useCallback(() => {
    chatter.restart()
    writeOfWindow(KEY, null)
    setProblem(null)
  }, [chatter])
  return { conversation, asked, problem, open, restart, save: useSave() }
}

/** Works on when the page has been left: the answer may be there only then. */
function useSave(): Save {
  const [create] = useCreateChatMutation()
  const [replace] = useReplaceChatMutation()
  return useCallback<Save>(
    async (id, chatIn) => {
      const { data, error } = id === null ? await create({ chatIn }) : await replace({ chatId: id, chatIn })
      const problem = readProblem(error)
      if (problem) return problem
      if (!data) throw new TypeError('An answer without data.')
      return data
    },
    [create, replace],
  )
}
