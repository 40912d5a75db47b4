import type { Moment } from './types'

/** Told is a moment that stands for others like it. */
export type Told = Moment & { more?: number }

const soon = 5_000 // ms: told to people at once is no news of its own

/**
 * tell makes a timeline that a person reads: each change of an alarm once,
 * whoever reported it, and what one person did at one time in one line.
 */
export function tell(moments: Moment[]): Told[] {
  const told: Told[] = []
  const state = new Map<string, string>() // of an alert, as last told
  const begun = new Map<string, number>()
  for (const m of moments) {
    const at = Date.parse(m.at)
    if (m.kind === 'transition') {
      if (m.to === 'pending' || state.get(m.alert_id!) === m.to) continue
      state.set(m.alert_id!, m.to!)
      if (!begun.has(m.alert_id!)) begun.set(m.alert_id!, at)
    }
    if (m.kind === 'raised' && !m.late && at - (begun.get(m.alert_id!) ?? 0) < soon) continue
    const last = told.at(-1)
    if (last && (m.kind === 'acknowledged' || m.kind === 'reset') && last.kind === m.kind && last.by === m.by && at - Date.parse(last.at) < soon) {
      told[told.length - 1] = { ...last, more: (last.more ?? 0) + 1 }
      continue
    }
    told.push(m)
  }
  return told
}
