// The safety committee: sees the fire on the plan, knows where and what to do,
// opens the room, says "I am looking", reads what happened, opens the notice.
import { permits } from './permits.mjs'

const words = {
  bn: {
    fire: 'আগুন', act: 'বের হন', room: 'গুদাম', floor: 'নিচতলা', danger: 'বিপদ', smoke: 'ধোঁয়া', heat: 'হিট ডিটেক্টর', look: 'আমি দেখছি', looking: 'দেখছেন', people: 'ভিতরে কতজন',
    alarms: /^অ্যালার্ম/, incidents: /^ঘটনা/, notices: /^নোটিশ/, now: /^এখন/, lists: ['অ্যালার্ম', 'ত্রুটি', 'বন্ধ রাখা', 'জেনে রাখুন'], first: 'প্রথম', kind: 'অগ্নিকাণ্ড', began: 'ধোঁয়া শুরু',
    confirmed: 'ঘটনা নিশ্চিত', told: 'ডাইফ নোটিশ পেয়েছে', received: 'প্রাপ্ত', receipt: 'রসিদ নং', due: 'শেষ সময়', unverified: 'যাচাই হয়নি', human: 'মানুষ লিখবেন', call: 'এখনই ফোনে জানান', paper: 'কাগজ দেখুন', pdf: /ছাপার ফাইল/, notice: /তাৎক্ষণিক খবর/, head: /প্রাথমিক.*স্বাক্ষর নেই/, dated: 'ধারা ৮১', draft: 'খসড়া',
  },
  en: {
    fire: 'Fire', act: 'Get out', room: 'Store', floor: 'Ground floor', danger: 'Danger', smoke: 'Smoke', heat: 'heat detector', look: 'I am looking', looking: 'is looking', people: 'People inside',
    alarms: /alarms|^Alarms/i, incidents: /^Incidents/, notices: /^Notices/, now: /^Now/, lists: ['Alarms', 'Faults', 'Isolated', 'To know'], first: 'First', kind: 'Fire', began: 'Smoke begins',
    confirmed: 'Incident confirmed', told: 'DIFE has received the notice', received: 'Received', receipt: 'Receipt no.', due: 'Due', unverified: 'unverified', human: 'Still for people to write', call: 'Tell by phone now', paper: 'Open the paper', pdf: /As a file to print/, notice: /Immediate information/, head: /preliminary.*not signed/i, dated: 'section 81', draft: 'Draft',
  },
}

export async function committee(stage) {
  for (const size of ['laptop', 'phone', 'wall']) for (const language of ['bn', 'en']) await watches(stage, language, size)
  await acknowledges(stage)
  for (const [language, size] of [['bn', 'laptop'], ['en', 'laptop'], ['bn', 'phone']]) await reads(await stage.enter('committee', language, size))
  await comesBack(stage)
  await permits(stage, 'committee', 'bn', 'laptop', 'sewing', 'sewing-smoke')
  await permits(stage, 'committee', 'en', 'phone', 'sewing', 'sewing-smoke')
}

/** watches: which room of which floor, and what to do, without touching anything; then the room. */
async function watches(stage, language, size) {
  const w = words[language]
  const p = await stage.enter('committee', language, size)
  for (const said of [w.fire, w.act, w.room, w.floor]) await p.sees(said, '.hero')
  const room = p.page.locator(`svg a[aria-label^="${w.room}: "]`)
  await room.waitFor()
  p.expect((await room.getAttribute('aria-label')).includes(w.danger), `the plan says of the store: ${await room.getAttribute('aria-label')}`)
  await p.looks('plan')
  if (language === 'bn' && size === 'laptop') await stage.shoot(p.page, 'fire-bn')
  await room.focus()
  await p.page.keyboard.press('Enter')
  for (const said of [w.room, w.danger, w.smoke, w.heat, w.people]) await p.sees(said, '.detail')
  if (size !== 'wall') await p.looks('zone')
  await p.leave()
}

/** acknowledges on one page; another person's page shows who looks. */
async function acknowledges(stage) {
  const actor = await stage.enter('committee', 'bn', 'phone', { at: '/#/alarms' })
  const watcher = await stage.enter('committee', 'en', 'laptop', { at: '/#/alarms' })
  for (const p of [actor, watcher]) {
    for (const list of words[p.language].lists) await p.sees(list, 'main')
    await p.sees(words[p.language].first, 'main')
    await p.looks('alarms')
  }
  await actor.touches('button', words.bn.look)
  await actor.sees(words.bn.looking, 'main')
  await watcher.sees('committee ' + words.en.looking, 'main')
  await watcher.looks('acknowledged')
  await watcher.leave()
  await actor.leave()
}

/** reads the incident, its timeline and its notice, and opens the papers. */
async function reads(p) {
  const w = words[p.language]
  await p.touches('link', w.incidents)
  await p.sees(w.kind, 'main')
  await p.looks('incidents')
  await p.page.locator('main li a').first().click()
  for (const said of [w.began, w.confirmed, w.told, 'DEMO-', w.looking]) await p.sees(said, 'main ol')
  await p.looks('incident')
  await p.touches('link', w.notices)
  await p.looks('notices')
  await p.page.locator('main li a').filter({ hasText: w.notice }).first().click()
  await p.sees(w.received, 'main ol li[aria-current=step]')
  await p.sees('DEMO-', 'main ol li[aria-current=step]')
  for (const said of [w.call, w.unverified, w.human]) await p.sees(said, 'main')
  if (p.size === 'laptop') {
    const paper = p.page.frameLocator('iframe').locator('body').filter({ hasText: 'DEMO-' })
    await paper.waitFor().catch(() => p.expect(false, 'the paper does not show in the page'))
  }
  await p.looks('notice')
  await opens(p, w)
  await p.touches('link', w.notices)
  await p.page.locator('main li a').filter({ hasText: w.dated }).first().click()
  await p.sees(w.draft, 'main ol li[aria-current=step]')
  for (const said of [w.due, w.unverified, w.human]) await p.sees(said, 'main')
  await p.looks('draft')
  await p.leave()
}

/** opens the paper in its own page, and the file to print. */
async function opens(p, w) {
  const opened = p.page.context().waitForEvent('page')
  await p.touches('link', w.paper)
  const paper = await opened
  await paper.waitForLoadState()
  const says = await paper.innerText('body')
  p.expect(says.includes('DEMO-') && w.head.test(says.replaceAll('\n', ' ')), `the paper says: ${says.slice(0, 200)}`)
  const pdf = await p.page.context().request.get(new URL(await p.page.getByRole('link', { name: w.pdf }).getAttribute('href'), p.page.url()).href)
  p.expect(pdf.ok() && (await pdf.body()).subarray(0, 5).toString() === '%PDF-', 'the file to print is no PDF')
}

/** comesBack: an address survives reload, and the login that it needs; by night, and without movement. */
async function comesBack(stage) {
  const p = await stage.enter('committee', 'bn', 'laptop', { at: '/#/notices', colorScheme: 'dark', reducedMotion: 'reduce' })
  await p.sees(words.bn.received, 'main')
  await p.page.reload()
  await p.sees(words.bn.received, 'main')
  await p.touches('link', words.bn.now)
  await p.sees(words.bn.act, '.hero')
  await p.looks('dark')
  await p.leave()
}
