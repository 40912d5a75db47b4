// What the stories of all roles share: a browser, people who log in, and what
// must be true of every page that they open.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const need = createRequire(new URL('../../dashboard/web/package.json', import.meta.url))
const { chromium } = need('playwright-core')
const axe = readFileSync(need.resolve('axe-core/axe.min.js'), 'utf8')

export const sizes = { wall: [1920, 1080], laptop: [1366, 768], phone: [360, 740] }
const patience = 60_000 // ms for what should show at once: the machine may be busy

/** A Stage is one browser on one running Nirapod. */
export class Stage {
  wrong = []
  constructor(browser, url, dir) { Object.assign(this, { browser, url, dir }) }

  static async open(url, executablePath, dir) {
    const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required']
    return new Stage(await chromium.launch({ executablePath, args }), url, dir)
  }
  close() { return this.browser.close() }

  expect(ok, what) { if (!ok) this.wrong.push(what) }

  /** enter lets a person log in and returns their page once it is live. */
  async enter(user, language, size, options = {}) {
    const [width, height] = sizes[size]
    const context = await this.browser.newContext({ viewport: { width, height }, ...options })
    const page = await context.newPage()
    const who = `${user} ${language} ${size}`
    page.setDefaultTimeout(patience)
    page.on('pageerror', (e) => this.wrong.push(`${who}: ${e.message}`))
    page.on('console', (m) => { if (/Content Security Policy/.test(m.text())) this.wrong.push(`${who}: ${m.text()}`) })
    await page.addInitScript((l) => { if (self === top) localStorage.setItem('language', l) }, language)
    await page.goto(this.url + (options.at ?? ''))
    await page.fill('[name=username]', user)
    await page.fill('[name=password]', 'demo')
    await page.keyboard.press('Enter')
    await page.waitForSelector('nav')
    return new Person(this, page, who, language, size)
  }
}

/** A Person sees what is on their page, and touches what they see. */
class Person {
  constructor(stage, page, who, language, size) { Object.assign(this, { stage, page, who, language, size }) }
  expect(ok, what) { this.stage.expect(ok, `${this.who}: ${what}`) }
  leave() { return this.page.context().close() }

  /** sees waits until a text stands on the page (in part of it, if named). */
  async sees(text, part = 'body') {
    const found = this.page.locator(part).filter({ hasText: text }).first()
    await found.waitFor({ state: 'visible' }).catch(() => this.stage.wrong.push(`${this.who}: does not see ${text} in ${part}`))
  }
  /** touches the first thing of that role and name. */
  async touches(role, name) {
    await this.page.getByRole(role, { name }).first().click().catch((e) => this.stage.wrong.push(`${this.who}: cannot touch ${role} ${name}: ${e.message.split('\n')[0]}`))
  }
  text(part = 'body') { return this.page.locator(part).first().innerText() }

  /** looks takes a picture and checks what must be true of every page. */
  async looks(name, { digits = this.language === 'bn' ? 'bangla' : 'latin', whole = this.size === 'phone' } = {}) {
    const { page, stage } = this
    await page.evaluate(() => document.fonts.ready)
    const here = `${this.who}, ${name}`
    await stage.shoot(page, `${name}-${this.language}-${this.size}`, whole)
    stage.expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${here}: scrolls sideways`)
    // What the page itself says: without identifiers, logins and the buttons that offer the other language or digits.
    const says = await page.evaluate(() => {
      const body = document.body.cloneNode(true)
      for (const e of body.querySelectorAll('.latin, .set, [lang], script, noscript')) e.remove()
      return body.textContent + [...document.querySelectorAll('[aria-label], [title]')].filter((e) => !e.closest('.set')).map((e) => ` ${e.getAttribute('aria-label') ?? ''} ${e.getAttribute('title') ?? ''}`).join('')
    })
    stage.expect(!/\bsafe\b/i.test(says) && !says.includes('নিরাপদ'), `${here}: says that something is safe`)
    stage.expect(!/undefined|NaN|\[object|Invalid Date|[a-z]_[a-z]/.test(says), `${here}: shows what is for machines: ${says.match(/.{0,30}(undefined|NaN|\[object|Invalid Date|[a-z]_[a-z]).{0,30}/)?.[0]}`)
    if (this.language === 'bn') stage.expect(!/[A-Za-z]/.test(says), `${here}: has Latin letters: ${says.match(/.{0,30}[A-Za-z]+.{0,30}/)?.[0]}`)
    const other = digits === 'bangla' ? /[0-9]/ : /[০-৯]/
    stage.expect(!other.test(says), `${here}: mixes digits: ${says.match(new RegExp(`.{0,30}${other.source}.{0,30}`))?.[0]}`)
    if (this.language !== 'bn') return // the same markup as in Bangla
    await page.evaluate(axe)
    const found = await page.evaluate(() => axe.run({ exclude: ['iframe'] }, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'], iframes: false }))
    for (const v of found.violations) stage.wrong.push(`${here}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 2).map((n) => n.html.slice(0, 120)).join(' | ')}`)
  }
}

/** shoot takes a picture of what is in sight, or of the whole page on a screen as high. */
Stage.prototype.shoot = async function (page, name, whole) {
  const { width, height } = page.viewportSize()
  if (whole) await page.setViewportSize({ width, height: await page.evaluate(() => document.documentElement.scrollHeight) })
  await page.screenshot({ path: `${this.dir}/${name}.png`, animations: 'disabled' })
  if (whole) await page.setViewportSize({ width, height })
}
