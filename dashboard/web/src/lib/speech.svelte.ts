import { bn } from '../messages/bn'
import { en } from '../messages/en'
import type { People } from './judge'
import type { Messages } from '../messages/type'
import type { Alert, Clock, Name, User } from './types'

type Language = 'bn' | 'en'
type List = { [K in keyof Messages]: Messages[K] extends Record<string, string> ? K : never }[keyof Messages]

const dhaka = 'Asia/Dhaka'
const saved = (key: string) => { try { return localStorage.getItem(key) } catch { return null } }
const save = (key: string, value: string) => { try { localStorage.setItem(key, value) } catch { /* private window: the choice lasts for this visit */ } }

/** Speech is the language and the digits of this screen, and all that is said in them. */
class Speech {
  language = $state<Language>(saved('language') === 'en' ? 'en' : 'bn')
  banglaDigits = $state(saved('digits') !== 'latin')
  words = $derived<Messages>(this.language === 'bn' ? bn : en)

  setLanguage(language: Language) {
    this.language = language
    save('language', language)
    document.documentElement.lang = language
  }
  toggleDigits() {
    this.banglaDigits = !this.banglaDigits
    save('digits', this.banglaDigits ? 'bangla' : 'latin')
  }
  /** meet takes a person's own language and the digits of their trade, unless this screen has its own. */
  meet(user: User) {
    if (saved('digits') === null) this.banglaDigits = user.role !== 'installer' // meters and labels have Latin ones
    if (saved('language') === null && user.language === 'en') { this.language = 'en'; document.documentElement.lang = 'en' }
  }

  name(name: Name | undefined): string { return name ? this.inDigits(this.language === 'bn' ? name.bn || name.en : name.en || name.bn) : '' }

  /** word is one of a list of words; what no list knows is said as the server says it. */
  word(list: List, key: string): string { return (this.words[list] as Record<string, string>)[key] ?? key }
  rule(alert: Pick<Alert, 'rule' | 'hazard'>): string { return (this.words.rule as Record<string, string>)[alert.rule] ?? this.word('hazard', alert.hazard) }
  law(clock: Clock): string { return this.inDigits(`${this.word('law', clock.law)}, ${this.words.clause(clock.clause)}`) }

  number(value: number, decimals = 0): string {
    return value.toLocaleString(this.locale(), { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
  }
  count(value: number): string { return this.number(value) }
  /** unit goes with the digits: Bangla words with Bangla digits, signs with Latin ones. */
  private get latinUnits() { return this.language === 'en' || !this.banglaDigits }
  unit(unit: string): string { return ((this.latinSign(unit) ? en : this.words).unit as Record<string, string>)[unit] ?? unit }
  latinSign(unit: string): boolean { return this.latinUnits && unit !== 'count' }
  /** state is the word of a switch, undefined for what is measured. */
  state(quantity: string, value: number): string | undefined { return (this.words.switchState as Record<string, string[]>)[quantity]?.[value >= 0.5 ? 1 : 0] }
  /** inDigits writes the digits of a text in this screen's set. */
  inDigits(text: string): string {
    const zero = this.latinUnits ? 0x30 : 0x9e6
    return text.replace(/[0-9০-৯]/g, (d) => String.fromCharCode(zero + (d.charCodeAt(0) & 0xf) - (d > '9' ? 6 : 0)))
  }

  /** timer is mm:ss, then h:mm:ss. */
  timer(ms: number): string {
    const s = Math.max(0, Math.floor(ms / 1000))
    const two = (n: number) => this.padded(n)
    return s < 3600 ? `${two(Math.floor(s / 60))}:${two(s % 60)}` : `${this.number(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
  }
  /** span is one or two units, for ages and time left. */
  span(ms: number): string {
    const w = this.words
    const s = Math.max(0, Math.floor(ms / 1000))
    const part = (n: number, unit: string) => `${this.number(n)} ${unit}`
    if (s < 60) return part(s, w.second)
    if (s < 3600) return part(Math.floor(s / 60), w.minute)
    if (s < 86400) return part(Math.floor(s / 3600), w.hour) + (s % 3600 >= 60 ? ' ' + part(Math.floor((s % 3600) / 60), w.minute) : '')
    return part(Math.floor(s / 86400), w.day) + (s % 86400 >= 3600 ? ' ' + part(Math.floor((s % 86400) / 3600), w.hour) : '')
  }
  /** clock is the time of day in Dhaka: রাত ১১:৪১ or 23:41, with seconds if asked. */
  clock(at: Date, seconds = false): string {
    const [h, m, s] = new Intl.DateTimeFormat('en-GB', { timeZone: dhaka, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(at).split(':').map(Number)
    const rest = `:${this.padded(m)}${seconds ? ':' + this.padded(s) : ''}`
    if (this.language === 'en') return this.padded(h) + rest
    const part = h < 4 ? 0 : h < 6 ? 1 : h < 12 ? 2 : h < 15 ? 3 : h < 18 ? 4 : h < 20 ? 5 : 6
    return `${this.words.dayPart[part]} ${this.number(h % 12 || 12)}${rest}`
  }
  date(at: Date): string {
    return new Intl.DateTimeFormat(this.locale(), { timeZone: dhaka, day: 'numeric', month: 'long', year: 'numeric' }).format(at)
  }
  /** when is date and time of day. */
  when(at: string): string { return `${this.date(new Date(at))}, ${this.clock(new Date(at))}` }

  private padded(n: number) { return n.toLocaleString(this.locale(), { minimumIntegerDigits: 2, useGrouping: false }) }
  private locale() { return this.language === 'en' ? 'en-GB' : this.banglaDigits ? 'bn-BD' : 'bn-BD-u-nu-latn' }
}

export const speech = new Speech()

/** count says what the counters of a room vouch for, against what it is for. */
export function count(p: People): string {
  const w = speech.words
  const range = [...new Set([p.low, p.high].filter((n) => n !== null))].map((n) => speech.count(n)).join('–')
  if (!range) return w.notCounted
  return `${range} ${w.peopleUnit}${p.limit ? ' · ' + w.capacity(speech.count(p.limit)) : ''}`
}
