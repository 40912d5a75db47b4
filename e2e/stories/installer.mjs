// The installer on a ladder: is the box heard, does this sensor answer, what
// does it say right now? Papers are not theirs.
import { permits } from './permits.mjs'

const words = {
  bn: { online: 'সংযোগ আছে', clock: 'ঘড়ি ঠিক', heat: 'গুদাম: হিট ডিটেক্টর', good: 'ভালো', notices: /নোটিশ/, opened: 'এই পাতা খোলার পর থেকে' },
  en: { online: 'Connected', clock: 'clock right', heat: 'Store: heat detector', good: 'good', notices: /Notices/, opened: 'Since you opened this' },
}

export async function installer(stage) {
  for (const [language, size] of [['en', 'phone'], ['bn', 'laptop']]) {
    const w = words[language]
    const p = await stage.enter('installer', language, size)
    for (const said of ['gw-1', w.online, w.clock]) await p.sees(said, 'main')
    p.expect((await p.page.getByRole('link', { name: w.notices }).count()) === 0, 'an installer is offered notices')
    const row = p.page.locator('main li').filter({ hasText: w.heat })
    p.expect(/\d+\.\d °C/.test(await row.innerText()), `the heat detector says: ${await row.innerText()}`)
    await p.looks('installer', { digits: 'latin', whole: false })
    await row.getByRole('link').click()
    for (const said of [w.heat, w.good, w.opened]) await p.sees(said, '.sensor')
    await p.page.waitForFunction(() => Number(document.querySelector('.sensor')?.innerText.match(/(\d+)(টি মাপ| readings)/)?.[1]) >= 3).catch(() => p.expect(false, 'new readings do not show'))
    await p.looks('sensor', { digits: 'latin' })
    await p.leave()
  }
  await permits(stage, 'installer', 'en', 'laptop', 'sewing', 'sewing-smoke')
  const refused = await stage.enter('installer', 'en', 'phone', { at: '/#/notices' })
  await refused.sees('Gateways', 'main')
  await refused.leave()
}
