/**
 * However many points come: at most one draw per frame, and for long curves so seldom that drawing
 * takes no more than about a fifth of the time. The page stays free for the user's hands.
 */

const REST = 4

export type Pace = { readonly ask: () => void; readonly cancel: () => void }

export function paced(draw: () => void): Pace {
  let frame = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let restUntil = 0

  const run = () => {
    frame = 0
    const began = performance.now()
    draw()
    const ended = performance.now()
    restUntil = ended + (ended - began) * REST
  }
  const onNextFrame = () => {
    timer = undefined
    frame = requestAnimationFrame(run)
  }
  return {
    ask: () => {
      if (frame !== 0 || timer !== undefined) return
      const rest = restUntil - performance.now()
      if (rest > 0) timer = setTimeout(onNextFrame, rest)
      else onNextFrame()
    },
    cancel: () => {
      cancelAnimationFrame(frame)
      clearTimeout(timer)
    },
  }
}
