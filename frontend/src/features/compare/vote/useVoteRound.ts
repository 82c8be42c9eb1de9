/** The prompts that are still to be voted on, and the pair that is: kept over a reload, so that none is lost. */
import { useEffect, useState } from 'react'
import { readOfWindow, writeOfWindow } from '@/lib/storage'
import type { Asked } from '@/features/compare/ask/asked'
import type { Asker } from '@/features/compare/ask/asker'

const KEY = 'compare-vote'

type Round = {
  readonly waiting: readonly string[]
  /** Answered and not voted on. */
  readonly pair: Asked | null
}

const NOTHING: Round = { waiting: [], pair: null }

export function useVoteRound(asker: Asker, asked: Asked | null, voted: boolean) {
  const [waiting, setWaiting] = useState(() => recall().waiting)
  useEffect(() => {
    const { pair } = recall()
    if (pair && asker.snapshot().asked === null) asker.restore(pair)
  }, [asker])
  useEffect(() => {
    const open = asked !== null && !voted
    // An answer that a reload cuts off is asked for again.
    const current = open && asked.state === 'asking' ? [asked.question.prompt] : []
    if (asked !== null || waiting.length > 0) {
      writeOfWindow(KEY, { waiting: [...current, ...waiting], pair: open && asked.state === 'done' ? asked : null } satisfies Round)
    }
  }, [asked, voted, waiting])
  return [waiting, setWaiting] as const
}

function recall(): Round {
  return readOfWindow(KEY, parse) ?? NOTHING
}

function parse(value: unknown): Round | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { waiting, pair } = value as { readonly waiting?: unknown; readonly pair?: unknown }
  if (!Array.isArray(waiting) || !waiting.every((each) => typeof each === 'string')) return undefined
  return { waiting, pair: isPair(pair) ? pair : null }
}

function isPair(value: unknown): value is Asked {
  if (typeof value !== 'object' || value === null) return false
  const { question, sides, state } = value as Partial<Asked>
  return state === 'done' && typeof question?.prompt === 'string' && Array.isArray(sides) && sides.length === 2
}
