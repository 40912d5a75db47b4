import { Problem, snapshot } from './api'
import { untested } from './judge'
import type { Alert, Incident, LiveReading, Notice, Permit, Snapshot } from './types'

const silence = 15_000 // a page without a heartbeat for this long is not live
const retry = 2_000

/** Live is the newest that the server said, and whether that is still now. */
export class Live {
  data = $state.raw<Snapshot | null>(null)
  connected = $state(false)
  unauthorised = $state(false)
  /** cleared are the alerts that ended while this page looked, newest first. */
  cleared = $state.raw<Alert[]>([])
  /** changes counts what people did and what the machine decided; readings do not count. */
  changes = $state(0)
  /** tick is the page's monotonic clock, ms; it moves once a second. */
  tick = $state(performance.now())
  private serverAt = 0 // server time, ms since 1970 ...
  private heardAt = 0 // ... when this page heard it, by performance.now()
  private stream: EventSource | null = null
  private timer = 0
  private reload = 0

  start() {
    this.timer = window.setInterval(() => this.beat(), 1000)
    document.addEventListener('visibilitychange', this.onVisible)
    void this.fetch()
  }
  stop() {
    window.clearInterval(this.timer)
    window.clearTimeout(this.reload)
    document.removeEventListener('visibilitychange', this.onVisible)
    this.stream?.close()
  }

  /** now is the server's time as far as this page can know it. */
  now(): number { return this.serverAt + (this.tick - this.heardAt) }
  silentFor(): number { return this.heardAt === 0 ? 0 : this.tick - this.heardAt }

  private beat() {
    this.tick = performance.now()
    this.connected = this.heardAt > 0 && this.tick - this.heardAt < silence
  }
  private onVisible = () => { if (document.visibilityState === 'visible') void this.fetch() }

  private hear(serverTime: string) {
    this.serverAt = Date.parse(serverTime)
    this.heardAt = performance.now()
    this.tick = this.heardAt
    this.connected = true
  }

  private async fetch() {
    window.clearTimeout(this.reload)
    this.stream?.close()
    try {
      const s = await snapshot()
      this.data = s
      this.hear(s.server_time)
      this.open()
    } catch (e) {
      if (e instanceof Problem && e.status === 401) { this.unauthorised = true; return }
      this.reload = window.setTimeout(() => void this.fetch(), retry)
    }
  }

  private open() {
    const stream = new EventSource(`/api/v1/stream?after=${encodeURIComponent(this.data?.cursor ?? '')}`)
    this.stream = stream
    const on = <T>(kind: string, take: (body: T) => void) =>
      stream.addEventListener(kind, (e) => take(JSON.parse((e as MessageEvent<string>).data) as T))
    on<{ server_time: string }>('hello', (b) => this.hear(b.server_time))
    on<{ server_time: string }>('beat', (b) => this.hear(b.server_time))
    on<{ factory_id: string; items: LiveReading[] }>('readings', (b) => this.readings(b.factory_id, b.items))
    on<Alert>('alert', (a) => this.alert(a))
    on<Permit>('permit', (p) => this.permit(p))
    on<Incident>('incident', (i) => this.incident(i))
    on<Notice>('notice', (n) => this.notice(n))
    on<unknown>('refresh', () => void this.fetch())
    stream.onerror = () => {
      stream.close()
      window.clearTimeout(this.reload)
      this.reload = window.setTimeout(() => void this.fetch(), retry)
    }
  }

  private readings(factory: string, items: LiveReading[]) {
    if (!this.data) return
    const fresh = new Map(items.map((r) => [r.sensor, r]))
    const zones = this.data.zones.map((z) => {
      if (z.factory_id !== factory || !z.sensors.some((s) => fresh.has(s.id))) return z
      const sensors = z.sensors.map((s) => {
        const r = fresh.get(s.id)
        return r ? { ...s, value: r.value, quality: r.quality, reason: r.reason, at: r.at, simulated: r.simulated } : s
      })
      return { ...z, sensors }
    })
    this.data = { ...this.data, zones }
  }

  private alert(a: Alert) {
    if (!this.data) return
    const alerts = this.data.alerts.filter((b) => b.id !== a.id)
    if (a.state !== 'cleared') alerts.push(a)
    else this.cleared = [a, ...this.cleared.filter((b) => b.id !== a.id)].slice(0, 200)
    this.change({ alerts })
  }
  private permit(p: Permit) {
    if (!this.data) return
    const others = this.data.permits.filter((q) => q.id !== p.id)
    this.change({ permits: p.refused || untested(p).length ? [p, ...others] : others })
  }
  private incident(i: Incident) { if (this.data) this.change({ incidents: newestFirst(i, this.data.incidents) }) }
  private notice(n: Notice) { if (this.data) this.change({ notices: newestFirst(n, this.data.notices) }) }
  private change(part: Partial<Snapshot>) {
    this.data = { ...this.data!, ...part }
    this.changes++
  }
}

/** newestFirst puts a row among others by its id, which begins with its time. */
function newestFirst<T extends { id: string }>(row: T, rows: T[]): T[] {
  return [row, ...rows.filter((r) => r.id !== row.id)].sort((a, b) => (a.id < b.id ? 1 : -1))
}
