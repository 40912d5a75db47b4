import { Problem } from './api'

/** Asked is one answer of the server that is asked for again when something changes. */
export class Asked<T> {
  value = $state.raw<T | null>(null)
  /** missing: there is no such thing, or it is not this person's. */
  missing = $state(false)
  failed = $state(false)
  private timer = 0
  private turn = 0

  /** ask keeps the answer of the newest question; a failure keeps the old answer. */
  async ask(question: () => Promise<T>) {
    const turn = ++this.turn
    try {
      const value = await question()
      if (turn !== this.turn) return
      this.value = value
      this.failed = this.missing = false
    } catch (e) {
      if (turn !== this.turn) return
      this.missing = e instanceof Problem && (e.status === 404 || e.status === 403)
      this.failed = !this.missing
    }
  }
  /** follow asks now and every period ms until the returned function is called. */
  follow(question: () => Promise<T>, period: number): () => void {
    void this.ask(question)
    this.timer = window.setInterval(() => void this.ask(question), period)
    return () => { window.clearInterval(this.timer); this.turn++ }
  }
}
