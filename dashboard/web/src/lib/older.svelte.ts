import type { Page } from './types'

/** Older reads the rest of a list, page by page, below what is already on the screen. */
export class Older<T extends { id: string }> {
  items = $state.raw<T[]>([])
  done = $state(false)
  failed = $state(false)
  private read: (cursor: string) => Promise<Page<T>>

  constructor(read: (cursor: string) => Promise<Page<T>>) { this.read = read }

  /** more reads on below the last of shown; ids begin with their time. */
  async more(shown: T[]) {
    const last = this.items.at(-1) ?? shown.at(-1)
    try {
      const page = await this.read(last?.id ?? '')
      this.items = [...this.items, ...page.items]
      this.done = page.next === null
      this.failed = false
    } catch { this.failed = true }
  }
  /** below joins what is shown with what was read. */
  below(shown: T[]): T[] {
    const known = new Set(shown.map((s) => s.id))
    return [...shown, ...this.items.filter((i) => !known.has(i.id))]
  }
}
