import type { Level } from '../lib/types'

type Words = Record<string, string>

/** Messages is every text of the page. Both languages have this type, so a missing one does not build. */
export type Messages = {
  product: string; login: string; user: string; password: string; show: string; hide: string
  wrongLogin: string; tooMany: string; unreachable: string; logout: string; language: string; digits: string
  now: string; notices: string; live: string; notLive: string; lastSeen: (age: string) => string
  noAlarm: string; sensorsLive: (live: string, total: string) => string; cannotSee: string
  ago: (age: string) => string; never: string; since: string; more: (n: string) => string
  first: string; late: string; occurred: string; simulated: string; supplement: string
  acknowledge: string; acknowledgedBy: (who: string, at: string) => string; reset: string; needsReset: string; howToReset: string; notYetReached: string
  returned: string; indicative: string; soundOff: string; soundOn: string; call: string
  floorPlan: string; zones: string; exits: string; faults: string; alarms: string; none: string
  notProved: string
  exitState: { open: string; closed: string; locked: string; unknown: string }
  level: Record<Level, string>
  hazard: Words; act: Words; look: string; unwatchedZones: (n: string) => string; rule: Words; quantity: Words; unit: Words; switchState: Record<string, [string, string]>; reason: Words
  notice: Words; incident: Words; status: Words
  receipt: string; deadline: string; left: (d: string) => string; overdue: (d: string) => string; unverified: string
  human: (n: string) => string; callNow: string; recipient: Words; acknowledgeAll: (n: string) => string; paper: string; noNotice: string; desk: string
  second: string; minute: string; hour: string; day: string; dayPart: string[]
}
