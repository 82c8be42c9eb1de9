/** Compiles only while page and shell mean the same by `window.droid`. */
import type { Bridge as PageBridge } from '../../../frontend/src/lib/bridge'
import type { Bridge } from '../../src/bridge'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

export const agree: Same<Bridge, PageBridge> = true
