/** Sound is this screen's own alarm sound. It is never the only siren. */
class Sound {
  armed = $state(false)
  private context: AudioContext | null = null
  private timer = 0
  private playing = ''

  /** arm must be called from a tap: browsers keep audio suspended until one. */
  async arm() {
    this.context ??= new AudioContext()
    await this.context.resume()
    this.armed = this.context.state === 'running'
  }

  /** play repeats the pattern until another is asked for; '' is quiet. */
  play(pattern: '' | 'evacuate' | 'danger') {
    if (pattern === this.playing) return
    this.playing = pattern
    window.clearInterval(this.timer)
    if (pattern === '') return
    const [pulses, on, gap, period] = pattern === 'evacuate' ? [3, 0.5, 0.5, 4000] : [5, 0.15, 0.1, 5000] // ISO 8201 temporal-3
    const once = () => { for (let i = 0; i < pulses; i++) this.pulse(i * (on + gap), on, pattern === 'evacuate' ? 620 : 700 + 60 * i) }
    once()
    this.timer = window.setInterval(once, period)
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
