/** A scripted server for tests: sockets, timers and frames under the test's hand. */

import type { SocketEvents, Surroundings } from '@/api/stream/eventStream'
import type { Frame, TrainingStateData } from '@/api/frames'

export class FakeServer {
  readonly opened: string[] = []
  private live: SocketEvents | null = null
  private timers: { readonly at: number; readonly run: () => void }[] = []
  private clock = 0

  readonly around: Surroundings = {
    url: 'ws://host/ws',
    open: (url, on) => {
      this.opened.push(url)
      this.live = on
      return () => {
        if (this.live === on) this.live = null
      }
    },
    after: (ms, run) => {
      const timer = { at: this.clock + ms, run }
      this.timers.push(timer)
      return () => {
        this.timers = this.timers.filter((each) => each !== timer)
      }
    },
    random: () => 1,
  }

  get connected(): boolean {
    return this.live !== null
  }

  send(...frames: readonly Frame[]): void {
    for (const frame of frames) this.sendText(JSON.stringify(frame))
  }

  sendText(text: unknown): void {
    this.live?.message(text)
  }

  hangUp(): void {
    this.live?.lost()
  }

  /** Let time pass: everything due runs in order. */
  pass(ms: number): void {
    const until = this.clock + ms
    for (;;) {
      const due = this.timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.timers = this.timers.filter((timer) => timer !== due)
      this.clock = Math.max(this.clock, due.at)
      due.run()
    }
    this.clock = until
  }
}

/** Numbers frames as the server does. */
export class FrameMaker {
  seq = 0
  constructor(
    readonly epoch = 'epoch-1',
    readonly session = 'run-1',
  ) {}

  /** Any frame but a snapshot; a snapshot takes no number of its own. */
  make<T extends Frame['type']>(type: T, data: Extract<Frame, { type: T }>['data'], session = this.session): Frame {
    this.seq += 1
    return { type, data, seq: this.seq, epoch: this.epoch, session_id: session } as Frame
  }

  snapshot(data: Partial<TrainingStateData> = {}): Frame {
    return {
      type: 'training_state',
      seq: this.seq,
      epoch: this.epoch,
      session_id: this.session,
      data: { state: 'running', session_id: this.session, ...data },
    }
  }

  point(step: number, train_loss: number, session = this.session): Frame {
    return this.make(
      'training_progress',
      {
        metrics: { current_step: step, total_steps: 100, train_loss },
        log_lines: [`Iter ${step}: train loss ${train_loss}`],
        point: { kind: 'train', values: { step, train_loss } },
        state: 'running',
        phase: 'training',
      },
      session,
    )
  }
}
