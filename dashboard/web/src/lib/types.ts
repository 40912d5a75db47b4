// What the server says, as /api/openapi.yaml describes it.
export type Name = { bn: string; en: string }
export type Level = 'danger' | 'warn' | 'blind' | 'watch' | 'unwatched' | 'ok'
export type User = { name: string; role: string; factory_id: string; office: string; language: string }
export type Factory = { id: string; name: Name; demo: boolean; v1_ms: number; v2_ms: number }
export type Point = [number, number]
export type Floor = { id: string; factory_id: string; name: Name; level: number; outline: Point[] }
export type Sensor = {
  id: string; factory_id: string; gateway_id: string; zone_id: string; name: Name; quantity: string; unit: string; grade: string
  value: number | null; quality: string; reason: string; at: string | null; age_ms: number | null
  period_ms: number; simulated: boolean; life_safety: boolean; x: number; y: number
}
export type Zone = {
  id: string; factory_id: string; floor: string; name: Name; use: string; polygon: Point[]
  level: Level; reason: string; watched: boolean; sensors: Sensor[]; coverage: { live: number; total: number }
  at: string | null; age_ms: number | null; capacity: number; posted: boolean
}
export type Exit = { id: string; factory_id: string; name: Name; kind: string; floor: string; at: Point; state: 'open' | 'closed' | 'locked' | 'unknown'; proved: boolean; sensor_id: string; lock_sensor_id: string }
export type Gateway = {
  id: string; factory_id: string; place: Name; floor: string; online: boolean; at: string | null; simulated: boolean
  clock: string; version: string; unknown_sensors: string[]; refused: Record<string, number>
}
export type AlertClass = 'alarm' | 'fault' | 'isolation' | 'info'
export type Alert = {
  id: string; point: string; factory_id: string; zone_id: string; sensor_id: string; gateway_id: string; rule: string; clause: string
  hazard: string; class: AlertClass; severity: string; grade: string
  state: 'unacknowledged' | 'acknowledged' | 'returned' | 'cleared'; condition: string; latched: boolean
  late: boolean; exercise: boolean; occurred_at: string; raised_at: string
  acknowledged_at: string | null; acknowledged_by: string; cleared_at: string | null; incident_id: string
}
export type Incident = {
  id: string; factory_id: string; kind: string; state: 'open' | 'resolved'; confirmed: boolean; exercise: boolean
  zones: string[]; occurred_at: string; opened_at: string; confirmed_at: string | null; alert_ids: string[]
}
export type Clock = { law: string; clause: string; recipient: string; starts_at: string; due_at: string; met_at: string | null; verified: boolean }
export type Notice = {
  id: string; incident_id: string; incident_kind: string; kind: string; status: string; factory_id: string
  exercise: boolean; receipt_number: string; occurred_at: string; aware_at: string; created_at: string
  sent_at: string | null; received_at: string | null; seen_at: string | null; seen_by: string
  due_at: string | null; clocks: Clock[]; blank: string[]; body: { demo: boolean; factory: Name; place: Name[] }
}
/** Moment is one thing that happened in an incident. */
export type Moment = {
  at: string; kind: string; by?: string; alert_id?: string; rule?: string; zone_id?: string; sensor_id?: string; grade?: string
  source?: string; from?: string; to?: string; values?: Record<string, number>; late?: boolean
  paper_id?: string; notice_kind?: string; because?: string; receipt_number?: string; recipient?: string; attempts?: number
}
export type Work = 'hot_work' | 'fumigation' | 'blow_down' | 'painting'
export type Permit = {
  id: string; factory_id: string; work: Work; zone_id: string; sensor_ids: string[]; from: string; until: string
  issued_by: string; accepted_by: string; watch: string; reason: string; opened_by: string; opened_at: string
  ended_at: string | null; ended_by: string; tested: { sensor_id: string; by: string; at: string }[]; applied_at: string | null; refused: string; taken_by: string[]
}
export type PermitRequest = { zone_id: string; sensor_ids: string[]; work: Work; issued_by: string; accepted_by: string; watch: string; until: string; reason: string }
export type Snapshot = {
  cursor: string; server_time: string; factories: Factory[]; floors: Floor[]; zones: Zone[]; exits: Exit[]
  gateways: Gateway[]; alerts: Alert[]; permits: Permit[]; incidents: Incident[]; notices: Notice[]
}
export type LiveReading = { sensor: string; value: number | null; quality: string; reason: string; at: string; simulated: boolean }
export type Page<T> = { items: T[]; next: string | null }
/** Case is one incident as the desk has it. */
export type Case = {
  incident_id: string; factory_id: string; factory: Name; dife_office: string; incident_kind: string; exercise: boolean; demo: boolean
  urgency: string; place: Name[]; occurred_at: string; received_at: string; due_at: string | null; filings: Filing[]
  seen_by: string; seen_at: string | null
}
export type Filing = { id: string; kind: 'signal' | 'notice'; notice_kind: string; version: number; receipt_number: string; received_at: string; doc?: unknown }
