type Pattern = '' | 'evacuate' | 'danger' | 'chime'

// pulses, seconds on, seconds off, ms between two rounds
const patterns: Record<Exclude<Pattern, ''>, [number, number, number, number]> = {
  evacuate: [3, 0.5, 0.5, 4000], // ISO 8201 temporal-3
  danger: [5, 0.15, 0.1, 5000],
  chime: [2, 0.35, 0.1, 10_000],
}
const pitch = (pattern: Pattern, i: number) => (pattern === 'evacuate' ? 620 : pattern === 'chime' ? 660 - 130 * i : 700 + 60 * i)

/** Sound is this screen's own alarm sound. It is never the only siren. */
class Sound {
  armed = $state(false)
  /** quietUntil is by performance.now(). */
  quietUntil = $state(0)
  private context: AudioContext | null = null
  private timer = 0
  private playing: Pattern = ''

  /** arm must be called from a tap: browsers keep audio suspended until one. */
  async arm() {
    this.context ??= new AudioContext()
    await this.context.resume()
    this.armed = this.context.state === 'running'
  }

  /** play repeats the pattern until another is asked for; '' is quiet. */
  play(pattern: Pattern) {
    if (pattern === this.playing) return
    this.playing = pattern
    window.clearInterval(this.timer)
    if (pattern === '') return
    this.round(pattern)
    this.timer = window.setInterval(() => this.round(pattern), patterns[pattern][3])
  }
  /** quiet stops this screen's sound for a while; the hall's siren goes on. */
  quiet(ms: number) { this.quietUntil = performance.now() + ms }
  /** wake ends a quiet: something new has come. */
  wake() { this.quietUntil = 0 }

  private round(pattern: Exclude<Pattern, ''>) {
    if (performance.now() < this.quietUntil) return
    const [pulses, on, gap] = patterns[pattern]
    for (let i = 0; i < pulses; i++) this.pulse(i * (on + gap), on, pitch(pattern, i))
  }
  private pulse(delay: number, length: number, hz: number) {
    if (!this.context || this.context.state !== 'running') { this.armed = false; return }
    const at = this.context.currentTime + delay
    const gain = this.context.createGain()
    gain.connect(this.context.destination)
    gain.gain.setValueAtTime(0, at)
    gain.gain.linearRampToValueAtTime(0.25, at + 0.01)
    gain.gain.setValueAtTime(0.25, at + length - 0.02)
    gain.gain.linearRampToValueAtTime(0, at + length)
    const voice = this.context.createOscillator()
    voice.type = 'sawtooth' // rich in harmonics: heard through machines and old ears
    voice.frequency.value = hz
    voice.connect(gain)
    voice.start(at)
    voice.stop(at + length)
  }
}

export const sound = new Sound()
