import type { Alert, Case, Filing, Gateway, Incident, Moment, Notice, Page, Permit, PermitRequest, Snapshot, User } from './types'

/** Problem is an RFC 9457 answer, or status 0 when the server was not reached. */
export class Problem extends Error {
  constructor(readonly status: number, message: string, readonly retryAfter = 0) {
    super(message)
  }
}

let csrf = ''

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf
  let answer: Response
  try {
    answer = await fetch('/api/v1/' + path, { method, headers, credentials: 'same-origin', body: body === undefined ? undefined : JSON.stringify(body) })
  } catch {
    throw new Problem(0, 'unreachable')
  }
  const json = answer.status === 204 ? null : await answer.json().catch(() => null)
  if (!answer.ok) throw new Problem(answer.status, json?.detail ?? answer.statusText, Number(answer.headers.get('Retry-After') ?? 0))
  return json as T
}

type Session = { user: User; csrf: string }

function remember(session: Session): User {
  csrf = session.csrf
  return session.user
}

export const login = async (username: string, password: string) => remember(await call<Session>('POST', 'login', { username, password }))
export const me = async () => remember(await call<Session>('GET', 'me'))
export const logout = () => call<null>('POST', 'logout', {})
export const snapshot = () => call<Snapshot>('GET', 'snapshot')
export const acknowledge = (id: string) => call<Alert>('POST', `alerts/${encodeURIComponent(id)}/ack`, {})
export const reset = (id: string) => call<Alert>('POST', `alerts/${encodeURIComponent(id)}/reset`, {})

export const isolate = (sensor: string, request: PermitRequest) => call<Permit>('POST', `sensors/${encodeURIComponent(sensor)}/isolate`, request)
export const endPermit = (id: string) => call<Permit>('POST', `permits/${encodeURIComponent(id)}/end`, {})
export const sensorTested = (sensor: string) => call<Page<Permit>>('POST', `sensors/${encodeURIComponent(sensor)}/tested`, {})

type Query = Record<string, string | number>
const list = <T>(path: string, query: Query = {}) => call<Page<T>>('GET', `${path}?${new URLSearchParams(Object.entries(query).filter(([, v]) => v !== '').map(([k, v]) => [k, String(v)]))}`)
const one = <T>(...path: string[]) => call<T>('GET', path.map(encodeURIComponent).join('/'))

export const alerts = (query: Query) => list<Alert>('alerts', query)
export const incidents = (query: Query) => list<Incident>('incidents', query)
export const notices = (query: Query) => list<Notice>('notices', query)
export const gateways = () => list<Gateway>('gateways')
export const incident = (id: string) => one<Incident>('incidents', id)
export const timeline = (id: string) => one<Page<Moment>>('incidents', id, 'timeline')
export const notice = (id: string) => one<Notice>('notices', id)
export const evidenceOf = (id: string) => `/api/v1/incidents/${encodeURIComponent(id)}/evidence.zip`
export const paperOf = (id: string, form: 'html' | 'pdf', language: string) => `/api/v1/notices/${encodeURIComponent(id)}.${form}?lang=${language}`

export const deskQueue = () => list<Case>('desk/queue')
/** A drill and a real incident are cases of their own. */
const casePath = (id: string, exercise: boolean, act = '') => `desk/cases/${encodeURIComponent(id)}${act}?exercise=${exercise}`
export const deskCase = (id: string, exercise: boolean) => call<{ case: Case; filings: Filing[] }>('GET', casePath(id, exercise))
export const seeCase = (id: string, exercise: boolean) => call<Case>('POST', casePath(id, exercise, '/seen'), {})
