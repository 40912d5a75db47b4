// What the server says, as docs/openapi describes it.
export type Name = { bn: string; en: string }
export type Level = 'danger' | 'warn' | 'blind' | 'watch' | 'unwatched' | 'ok'
export type User = { name: string; role: string; factory_id: string; office: string; language: string }
export type Factory = { id: string; name: Name; demo: boolean; v1_ms: number; v2_ms: number }
export type Floor = { id: string; factory_id: string; name: Name; level: number; outline: [number, number][] }
export type Sensor = {
  id: string; zone_id: string; name: Name; quantity: string; unit: string; grade: string
  value: number | null; quality: string; reason: string; at: string | null; age_ms: number | null
  period_ms: number; simulated: boolean; life_safety: boolean; x: number; y: number
}
export type Zone = {
  id: string; factory_id: string; floor: string; name: Name; use: string; polygon: [number, number][]
  level: Level; reason: string; watched: boolean; sensors: Sensor[]; coverage: { live: number; total: number }
  at: string | null; age_ms: number | null
}
export type Exit = { id: string; factory_id: string; name: Name; kind: string; floor: string; at: [number, number]; state: 'open' | 'closed' | 'locked' | 'unknown'; proved: boolean; sensor_id: string; lock_sensor_id: string }
export type Gateway = { id: string; factory_id: string; online: boolean; at: string | null; simulated: boolean; clock: string }
export type Alert = {
  id: string; point: string; factory_id: string; zone_id: string; sensor_id: string; gateway_id: string; rule: string; clause: string
  hazard: string; class: 'alarm' | 'fault' | 'isolation' | 'info'; severity: string; grade: string
  state: 'unacknowledged' | 'acknowledged' | 'returned' | 'cleared'; condition: string; latched: boolean
  late: boolean; exercise: boolean; occurred_at: string; raised_at: string
  acknowledged_at: string | null; acknowledged_by: string; cleared_at: string | null; incident_id: string
}
export type Clock = { law: string; clause: string; recipient: string; starts_at: string; due_at: string; met_at: string | null; verified: boolean }
export type Notice = {
  id: string; incident_id: string; incident_kind: string; kind: string; status: string; factory_id: string
  exercise: boolean; receipt_number: string; occurred_at: string; aware_at: string; created_at: string
  sent_at: string | null; received_at: string | null; due_at: string | null; clocks: Clock[]; blank: string[]
}
export type Snapshot = {
  cursor: string; server_time: string; factories: Factory[]; floors: Floor[]; zones: Zone[]; exits: Exit[]
  gateways: Gateway[]; alerts: Alert[]; notices: Notice[]
}
export type LiveReading = { sensor: string; value: number | null; quality: string; reason: string; at: string; simulated: boolean }
