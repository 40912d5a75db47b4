import { bn } from '../messages/bn'
import { en } from '../messages/en'
import type { Name } from './types'

type Language = 'bn' | 'en'

const dhaka = 'Asia/Dhaka'
const saved = (key: string) => { try { return localStorage.getItem(key) } catch { return null } }
const save = (key: string, value: string) => { try { localStorage.setItem(key, value) } catch { /* private window: the choice lasts for this visit */ } }

/** Speech is the language and the digits of this screen, and all that is said in them. */
class Speech {
  language = $state<Language>(saved('language') === 'en' ? 'en' : 'bn')
  banglaDigits = $state(saved('digits') !== 'latin')
  words = $derived(this.language === 'bn' ? bn : en)

  setLanguage(language: Language) {
    this.language = language
    save('language', language)
    document.documentElement.lang = language
  }
  toggleDigits() {
    this.banglaDigits = !this.banglaDigits
    save('digits', this.banglaDigits ? 'bangla' : 'latin')
  }

  name(name: Name | undefined): string { return name ? (this.language === 'bn' ? name.bn || name.en : name.en || name.bn) : '' }

  number(value: number, decimals = 0): string {
    return value.toLocaleString(this.locale(), { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
  }
  count(value: number): string { return this.number(value) }

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
  /** clock is the time of day in Dhaka: রাত ১১:৪১ or 23:41. */
  clock(at: Date): string {
    const [h, m] = new Intl.DateTimeFormat('en-GB', { timeZone: dhaka, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at).split(':').map(Number)
    if (this.language === 'en') return `${this.padded(h)}:${this.padded(m)}`
    const part = h < 4 ? 0 : h < 6 ? 1 : h < 12 ? 2 : h < 15 ? 3 : h < 18 ? 4 : h < 20 ? 5 : 6
    return `${this.words.dayPart[part]} ${this.number(h % 12 || 12)}:${this.padded(m)}`
  }
  date(at: Date): string {
    return new Intl.DateTimeFormat(this.locale(), { timeZone: dhaka, day: 'numeric', month: 'long', year: 'numeric' }).format(at)
  }

  private padded(n: number) { return n.toLocaleString(this.locale(), { minimumIntegerDigits: 2, useGrouping: false }) }
  private locale() { return this.language === 'en' ? 'en-GB' : this.banglaDigits ? 'bn-BD' : 'bn-BD-u-nu-latn' }
}

export const speech = new Speech()
