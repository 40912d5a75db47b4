import type { Alert, Exit, Factory, Floor, Level, Sensor, Snapshot, Zone, Permit, Work } from './types'

const staleAfter = (s: Sensor) => Math.max(15_000, 3 * s.period_ms)

/** age of the newest reading of a sensor, ms; null when none ever came. */
export const age = (s: Sensor, now: number): number | null => (s.at ? Math.max(0, now - Date.parse(s.at)) : null)

const fresh = (s: Sensor, now: number) => { const a = age(s, now); return a !== null && a <= staleAfter(s) }

/** seeing: the sensor has a good value that is not old. */
export const seeing = (s: Sensor, now: number) => fresh(s, now) && s.quality === 'good'

/** shown: there is a value to show, be it a doubtful one. */
export const shown = (s: Sensor, now: number) => fresh(s, now) && s.value !== null

/** blindness is why a sensor shows nothing good, as a word of messages.reason. */
export function blindness(s: Sensor, now: number): string {
  if (age(s, now) === null) return 'none'
  return fresh(s, now) ? s.reason || 'none' : 'stale'
}

/** levels, the worst first. */
export const levels: Level[] = ['danger', 'warn', 'blind', 'watch', 'unwatched', 'ok']
export const worse = (a: Level, b: Level) => (levels.indexOf(a) <= levels.indexOf(b) ? a : b)
export const byLevel = (a: Zone, b: Zone) => levels.indexOf(a.level) - levels.indexOf(b.level)

/** key names a thing over all factories: ids are unique only within one. */
export const key = (thing: { factory_id: string; id: string }) => `${thing.factory_id}/${thing.id}`

/** where finds the factory, zone and floor of an alert. */
export function where(a: Alert | undefined, data: Snapshot): { factory?: Factory; zone?: Zone; floor?: Floor } {
  const zone = data.zones.find((z) => z.id === a?.zone_id && z.factory_id === a.factory_id)
  return {
    factory: data.factories.find((f) => f.id === a?.factory_id),
    zone,
    floor: data.floors.find((f) => f.id === zone?.floor && f.factory_id === zone?.factory_id),
  }
}

const severities = ['evacuate', 'alarm', 'prealarm', 'warning', 'info']
export const grave = (a: Alert) => a.class === 'alarm' && a.condition !== 'inactive' && (a.severity === 'alarm' || a.severity === 'evacuate')

/** levelOf judges a zone from its open alerts and from what is seen now: unknown is never normal. */
export function levelOf(z: Zone, alerts: Alert[], now: number): Level {
  let level: Level = z.watched ? 'ok' : 'unwatched'
  for (const a of alerts) {
    if (a.zone_id !== z.id || a.factory_id !== z.factory_id) continue
    if (a.class === 'alarm') level = worse(level, grave(a) ? 'danger' : 'warn')
    else if (a.class === 'fault') level = worse(level, 'blind')
    else if (a.hazard !== 'exit') level = worse(level, 'watch')
  }
  if (z.sensors.some((s) => s.life_safety && !seeing(s, now))) level = worse(level, 'blind')
  return level
}

/** exitNow is an exit as its contacts say now: locked whatever the leaf says, and unknown unless the leaf is seen. */
export function exitNow(e: Exit, sensors: Sensor[], now: number): Exit {
  const says = (id: string) => { const s = sensors.find((x) => x.id === id); return s && seeing(s, now) && s.value !== null ? s.value >= 0.5 : null }
  const leaf = says(e.sensor_id)
  const state = says(e.lock_sensor_id) ? 'locked' : leaf === null ? 'unknown' : leaf ? 'open' : 'closed'
  return { ...e, state }
}

/** ranked puts alarms before faults before the rest; the first stays first. */
export function ranked(alerts: Alert[]): Alert[] {
  const classes = ['alarm', 'fault', 'isolation', 'info']
  return [...alerts].sort((a, b) => classes.indexOf(a.class) - classes.indexOf(b.class) || a.occurred_at.localeCompare(b.occurred_at))
}

/** gravest is the alarm of the headline: what is still there, the worst, and of those the first. */
export function gravest(alarms: Alert[]): Alert | undefined {
  const gone = (a: Alert) => (a.condition === 'inactive' ? 1 : 0)
  return [...alarms].sort((a, b) => gone(a) - gone(b) || severities.indexOf(a.severity) - severities.indexOf(b.severity) || a.occurred_at.localeCompare(b.occurred_at))[0]
}

const delayCap = 600_000 // V1 and V2 together

/** deadline is when the time to acknowledge (V1), and then to investigate (V2), of an alarm ends, ms since 1970. */
export function deadline(a: Alert, factory: Factory | undefined): { step: 'v1' | 'v2'; at: number; length: number } {
  const raised = Date.parse(a.raised_at)
  const v1 = factory?.v1_ms ?? 0
  const v2 = factory?.v2_ms ?? 0
  const seen = a.acknowledged_at ? Date.parse(a.acknowledged_at) : Infinity
  if (seen <= raised + v1) return { step: 'v2', at: Math.min(seen + v2, raised + delayCap), length: v2 }
  return { step: 'v1', at: raised + Math.min(v1, delayCap), length: v1 }
}

/**
 * order of the headline. 'go' when people are to leave: an evacuation, or a fire
 * or gas alarm of a trustworthy sensor whose acknowledge (V1) or investigate (V2)
 * time is over. 'look' while somebody has to look first.
 */
export function orders(a: Alert, factory: Factory | undefined, now: number): 'go' | 'look' | 'over' {
  if (a.condition === 'inactive') return 'over'
  if (a.severity === 'evacuate') return 'go'
  if (!grave(a) || a.grade === 'indicative') return 'look'
  return now > deadline(a, factory).at ? 'go' : 'look'
}

/** waits says whether the machine still gives people time with an alarm: a fire or gas alarm that nothing has confirmed. */
export const waits = (a: Alert, confirmed: boolean) =>
  !confirmed && !a.late && a.class === 'alarm' && a.condition !== 'inactive' && a.severity === 'alarm' && (a.hazard === 'fire' || a.hazard === 'gas')

/** alertLevel is what an alert makes of its place. */
export function alertLevel(a: Alert): Level {
  if (a.class === 'fault') return 'blind'
  if (a.class !== 'alarm') return 'watch'
  return grave(a) ? 'danger' : 'warn'
}

/** People is what a zone's counters vouch for: at least low, at most high; null while they are not seen. */
export type People = { low: number | null; high: number | null; limit: number; posted: boolean }

/** people of a zone, undefined where nobody is counted at all. */
export function people(z: Zone, now: number): People | undefined {
  const counter = (quantity: string) => z.sensors.find((s) => s.quantity === quantity)
  const says = (s: Sensor | undefined) => (s && seeing(s, now) && s.value !== null ? Math.round(s.value) : null)
  const [low, high] = [counter('people'), counter('people_high')]
  if (!low && !high) return undefined
  return { low: says(low), high: high ? says(high) : null, limit: z.capacity, posted: z.posted }
}

/** crowding judges a count against its limit: ours begin to ask at 80 %. */
export function crowding(p: People): Level {
  if (p.low === null && p.high === null) return 'blind'
  if (p.limit === 0) return 'ok'
  const share = (p.low ?? p.high!) / p.limit
  return share > 1 ? 'warn' : share >= 0.8 ? 'watch' : 'ok'
}

const trouble = (s: Sensor, now: number) => (seeing(s, now) ? (s.quality === 'good' ? 2 : 1) : s.life_safety ? 0 : 1)

/** troubled puts sensors that do not see first; the rest stays in the site's order. */
export const troubled = (sensors: Sensor[], now: number) => [...sensors].sort((a, b) => trouble(a, now) - trouble(b, now))

/** untested are the sensors of a permit that nobody has tested since it ended. */
export const untested = (p: Permit): string[] => p.sensor_ids.filter((id) => !p.tested.some((t) => t.sensor_id === id))

/** endOf is when a permit ends, or ended, ms since 1970. */
export const endOf = (p: Permit): number => Math.min(Date.parse(p.until), p.ended_at ? Date.parse(p.ended_at) : Infinity)

/** stands says whether a permit isolates its sensors, or is about to. */
export const stands = (p: Permit, now: number): boolean => !p.refused && now < endOf(p)

/** coverable is what the shipped rules let a kind of work cover; the server has the last word. */
export const coverable: Record<Work, string[]> = {
  hot_work: ['smoke', 'smoke_od', 'flame', 'temperature'], fumigation: ['smoke', 'smoke_od'], blow_down: ['temperature'], painting: ['lel'],
}
