import type { Alert, Exit, Level, Sensor, Zone } from './types'

const staleAfter = (s: Sensor) => Math.max(15_000, 3 * s.period_ms)

/** age of the newest reading of a sensor, ms; null when none ever came. */
export const age = (s: Sensor, now: number): number | null => (s.at ? Math.max(0, now - Date.parse(s.at)) : null)

/** seeing: the sensor has a trustworthy value that is not old. */
export function seeing(s: Sensor, now: number): boolean {
  const a = age(s, now)
  return a !== null && a <= staleAfter(s) && s.quality !== 'bad'
}

/** blindness is why a sensor shows nothing, as a word of messages.reason. */
export function blindness(s: Sensor, now: number): string {
  const a = age(s, now)
  if (a === null) return 'none'
  if (a > staleAfter(s)) return 'stale'
  return s.reason || 'none'
}

const order: Level[] = ['danger', 'warn', 'blind', 'watch', 'ok']
export const worse = (a: Level, b: Level) => (order.indexOf(a) <= order.indexOf(b) ? a : b)
export const byLevel = (a: Zone & { level: Level }, b: Zone & { level: Level }) => order.indexOf(a.level) - order.indexOf(b.level)

/** levelOf judges a zone from its open alerts and from what is seen now: unknown is never normal. */
export function levelOf(z: Zone, alerts: Alert[], now: number): Level {
  let level: Level = 'ok'
  for (const a of alerts) {
    if (a.zone_id !== z.id || a.factory_id !== z.factory_id) continue
    if (a.class === 'alarm') level = worse(level, a.severity === 'alarm' || a.severity === 'evacuate' ? 'danger' : 'warn')
    else if (a.class === 'fault') level = worse(level, 'blind')
    else if (a.class === 'info' && a.rule.startsWith('exit')) continue
    else level = worse(level, 'watch')
  }
  const watched = z.sensors.filter((s) => s.life_safety)
  if (watched.some((s) => !seeing(s, now))) level = worse(level, 'blind')
  return level
}

/** exitNow is an exit as its contacts say now: locked whatever the leaf says, and unknown unless the leaf is seen. */
export function exitNow(e: Exit, sensors: Sensor[], now: number): Exit {
  const says = (id: string) => { const s = sensors.find((x) => x.id === id); return s && seeing(s, now) && s.value !== null ? s.value >= 0.5 : null }
  const leaf = says(e.sensor_id)
  const state = says(e.lock_sensor_id) ? 'locked' : leaf === null ? 'unknown' : leaf ? 'open' : 'closed'
  return { ...e, state }
}

/** ranked puts alarms before faults before the rest; within a class the first stays first. */
export function ranked(alerts: Alert[]): Alert[] {
  const classes = ['alarm', 'fault', 'isolation', 'info']
  return [...alerts].sort((a, b) => classes.indexOf(a.class) - classes.indexOf(b.class) || a.occurred_at.localeCompare(b.occurred_at))
}
