import { byLevel, exitNow, key, levelOf, ranked, worse } from './judge'
import type { Live } from './live.svelte'
import type { Alert, Exit, Floor, Level, Snapshot, User, Zone } from './types'

const nothing: Snapshot = { cursor: '', server_time: '', factories: [], floors: [], zones: [], exits: [], gateways: [], alerts: [], permits: [], incidents: [], notices: [] }

/** Scene is what a person sees now: the newest data, judged. */
export class Scene {
  live: Live
  user: User
  data = $derived.by<Snapshot>(() => this.live.data ?? nothing)
  now = $derived.by(() => this.live.now())
  alerts = $derived.by<Alert[]>(() => ranked(this.data.alerts))
  alarms = $derived.by<Alert[]>(() => this.alerts.filter((a) => a.class === 'alarm'))
  levels = $derived.by(() => new Map(this.data.zones.map((z) => [key(z), levelOf(z, this.data.alerts, this.now)])))
  /** zones, the worst first. */
  zones = $derived.by<Zone[]>(() => this.data.zones.map((z) => ({ ...z, level: this.levels.get(key(z))! })).sort(byLevel))
  exits = $derived.by<Exit[]>(() => this.data.exits.map((e) => exitNow(e, this.sensorsOf(e.factory_id), this.now)))
  worst = $derived.by<Level>(() => [...this.levels.values()].reduce<Level>(worse, this.live.connected ? 'ok' : 'blind'))
  unseen = $derived.by<Alert[]>(() => this.alarms.filter((a) => a.state === 'unacknowledged' && !a.late))

  constructor(live: Live, user: User) {
    this.live = live
    this.user = user
  }

  /** acts says whether this person may acknowledge. */
  get acts() { return this.user.role === 'committee' }
  /** givesPermits says whether this person may open and end permits to work. */
  get givesPermits() { return this.user.role !== 'officer' }
  /** afar says that this person is not in the building: no order to leave is for them. */
  get afar() { return this.user.role === 'officer' }
  get papers() { return this.user.role !== 'installer' }

  sensorsOf(factory: string) { return this.data.zones.filter((z) => z.factory_id === factory).flatMap((z) => z.sensors) }
  zone(factory: string, id: string | undefined) { return this.zones.find((z) => z.factory_id === factory && z.id === id) }
  factory(id: string) { return this.data.factories.find((f) => f.id === id) }
  zonesOn(floor: Floor) { return this.zones.filter((z) => z.floor === floor.id && z.factory_id === floor.factory_id) }
  floorLevel(floor: Floor) { return this.zonesOn(floor).reduce<Level>((level, z) => worse(level, z.level), 'ok') }
  /** confirmed says whether the incident of an alert is. */
  confirmed(a: Alert) { return this.data.incidents.find((i) => i.id === a.incident_id)?.confirmed ?? false }
}
