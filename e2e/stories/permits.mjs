// A permit to work: who welds writes down who watches, everybody sees how long
// the smoke head does not, and afterwards somebody tests it.
const words = {
  bn: {
    open: 'কাজের অনুমতিপত্র খুলুন', start: 'এই সেন্সরগুলো বন্ধ রাখুন', two: 'দুজন আলাদা মানুষ লাগবে', choose: 'সেন্সর বেছে নিন', work: 'ঝালাই', not: 'এখন দেখছে না', waits: 'এখনো কার্যকর হয়নি', gateway: 'একটি গেটওয়ে এখনো এটি নেয়নি',
    end: 'কাজ শেষ: আবার নজর রাখুন', armed: 'পরীক্ষা হয়নি', tested: /^পরীক্ষা করেছি/, taken: 'আরেক অনুমতিপত্রে', names: ['রহিম', 'সালমা', 'করিম'], reason: 'উত্তর দেয়ালে রেলিং ঝালাই',
  },
  en: {
    open: 'Open a permit to work', start: 'Isolate these sensors', two: 'It wants two people', choose: 'Choose the sensors', work: 'Hot work', not: 'Not watching', waits: 'Not in force yet', gateway: 'A gateway has not taken it yet',
    end: 'Work is over: watch again', armed: 'not tested yet', tested: /^I have tested it/, taken: 'Another permit isolates', names: ['Rahim', 'Salma', 'Karim'], reason: 'Welding a rail at the north wall',
  },
}
const list = 'section.isolation'

/** permits in one language on one screen; zone is where, and sensor a head there. */
export async function permits(stage, user, language, size, zone, sensor) {
  const w = words[language]
  const digits = user === 'installer' ? 'latin' : undefined
  const p = await stage.enter(user, language, size, { at: '/#/alarms' })
  await p.page.locator('summary').filter({ hasText: w.open }).click()
  await fill(p, w, zone)
  await p.touches('button', w.start)
  await p.sees(w.choose, list)
  await p.page.locator(`[name=sensor][value="${sensor}"]`).check()
  await p.page.fill('[name=accepted]', w.names[0])
  await p.touches('button', w.start)
  await p.sees(w.two, list)
  await p.looks('permit-form', { digits })
  await p.page.fill('[name=accepted]', w.names[1])
  await p.touches('button', w.start)
  for (const said of [w.work, w.not, ...w.names, w.reason]) await p.sees(said, `${list} li`)
  for (const waits of [w.waits, w.gateway]) {
    await p.page.locator(list).getByText(waits).waitFor({ state: 'detached' }).catch(() => p.expect(false, `the permit stays at: ${waits}`))
  }
  const timer = await p.page.locator(`${list} .timer`).innerText()
  p.expect(/^[০-৯0-9]+:[০-৯0-9]{2}/.test(timer), `the time left is ${timer}`)
  await p.looks('permit', { digits })
  await refused(p, w, zone, sensor)
  await p.touches('button', w.end)
  await p.sees(w.armed, `${list} li`)
  await p.looks('permit-over', { digits })
  await p.page.locator(list).getByRole('button', { name: w.tested }).first().click()
  await p.page.locator(list).getByText(w.armed).waitFor({ state: 'detached' }).catch(() => p.expect(false, 'the tested permit stays on the list'))
  await p.leave()
}

async function fill(p, w, zone) {
  await p.page.selectOption('[name=zone]', zone)
  await p.page.selectOption('[name=minutes]', '30')
  for (const [i, field] of ['issued', 'accepted', 'watch'].entries()) await p.page.fill(`[name=${field}]`, w.names[i])
  await p.page.fill('[name=reason]', w.reason)
}

/** refused: nobody isolates a sensor twice. */
async function refused(p, w, zone, sensor) {
  await p.page.locator('summary').filter({ hasText: w.open }).click()
  await fill(p, w, zone)
  await p.page.locator(`[name=sensor][value="${sensor}"]`).check()
  await p.touches('button', w.start)
  await p.sees(w.taken, list)
  await p.page.locator('summary').filter({ hasText: w.open }).click()
}
