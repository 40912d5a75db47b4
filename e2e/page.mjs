// Opens the demo's page in a real browser: usage node page.mjs URL CHROMIUM DIR.
// Exit status 1 names what a person would miss. Screenshots go to DIR.
import { createRequire } from 'node:module'
const { chromium } = createRequire(new URL('../dashboard/web/package.json', import.meta.url))('playwright-core')

const [, , url, executablePath, dir] = process.argv
const wants = {
  bn: { fire: 'আগুন', act: 'বের হন', place: 'গুদাম', seen: 'দেখছেন: committee', received: 'প্রাপ্ত' },
  en: { fire: 'Fire', act: 'Get out', place: 'Store', seen: 'committee is looking', received: 'Received' },
}
const sizes = { wall: [1920, 1080], laptop: [1366, 768], phone: [360, 740] }

const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
})
const wrong = []
const expect = (ok, what) => { if (!ok) wrong.push(what) }

/** enter logs a person in and returns the page once it is live. */
async function enter(language, user, [width, height]) {
  const context = await browser.newContext({ viewport: { width, height } })
  const page = await context.newPage()
  page.on('pageerror', (e) => wrong.push(`${language} ${user}: ${e.message}`))
  page.on('console', (m) => { if (m.text().includes('Content Security Policy')) wrong.push(m.text()) })
  await page.addInitScript((l) => localStorage.setItem('language', l), language)
  await page.goto(url)
  await page.fill('[name=username]', user)
  await page.fill('[name=password]', 'demo')
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-zone]')
  return page
}

for (const [language, want] of Object.entries(wants)) {
  for (const [size, box] of Object.entries(sizes)) {
    const page = await enter(language, 'committee', box)
    await page.waitForSelector('[data-status=received]')
    const hero = await page.innerText('.hero')
    expect(hero.includes(want.fire) && hero.includes(want.act) && hero.includes(want.place), `${language} ${size}: the first line says "${hero}"`)
    expect((await page.innerText('[data-status=received]')).includes('DEMO-'), `${language} ${size}: no receipt number`)
    expect((await page.getAttribute('[data-zone=store]', 'data-level')) === 'danger', `${language} ${size}: the store is not in danger`)
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${language} ${size}: scrolls sideways`)
    const text = await page.innerText('body')
    expect(!/\b(safe)\b/i.test(text) && !text.replaceAll('নিরাপদ · Nirapod', '').includes('নিরাপদ'), `${language} ${size}: says safe`)
    await page.screenshot({ path: `${dir}/fire-${language}-${size}.png`, fullPage: size === 'phone' })
    await page.context().close()
  }
}

const officer = await enter('en', 'officer', sizes.laptop)
expect((await officer.locator('.acts button').count()) === 0, 'an officer is offered to acknowledge for the factory')
const installer = await enter('en', 'installer', sizes.laptop)
expect((await installer.locator('[data-notice]').count()) === 0, 'an installer sees notices')

const watcher = await enter('bn', 'committee', sizes.phone)
const actor = await enter('en', 'committee', sizes.laptop)
await actor.click('.hero .acts button')
await actor.waitForFunction((t) => document.body.innerText.includes(t), wants.en.seen, { timeout: 5000 }).catch(() => wrong.push('acknowledging does not show on the page that did it'))
await watcher.waitForFunction((t) => document.body.innerText.includes(t), wants.bn.seen, { timeout: 5000 }).catch(() => wrong.push('acknowledging does not show on another page'))
await watcher.screenshot({ path: `${dir}/acknowledged-bn-phone.png`, fullPage: true })

const paper = await actor.context().newPage()
await paper.goto(url + (await actor.getAttribute('[data-status=received] a', 'href')))
const words = await paper.innerText('body')
expect(words.includes('DEMO-') && /preliminary/i.test(words) && /not signed/i.test(words), `the paper says: ${words.slice(0, 200)}`)
await paper.screenshot({ path: `${dir}/notice.png`, fullPage: true })

await browser.close()
for (const w of wrong) console.log('wrong:', w)
console.log(`${wrong.length} wrong`)
process.exit(wrong.length ? 1 : 0)
