// The officer at DIFE's desk: the case has arrived, says who saw it first, and
// leads to what happened and to the notice. The factory's alarm is not theirs.
const words = {
  bn: { notSeen: 'কেউ দেখেননি', kind: 'অগ্নিকাণ্ড', factory: 'পদ্মা গার্মেন্টস', seen: 'আমি দেখেছি', already: 'ইতিমধ্যে দেখেছেন', signal: 'সংকেত, যাচাই হয়নি', receipt: 'রসিদ নং', demo: 'বাস্তব ঘটনা নয়', look: 'আমি দেখছি', open: /^নোটিশ$/, received: 'প্রাপ্ত', plans: /নকশা/, story: 'কখন কী হয়েছে' },
  en: { notSeen: 'Nobody has seen it', kind: 'Fire', factory: 'Padma Garments', seen: 'I have seen it', already: 'already seen by', signal: 'Signal, unverified', receipt: 'Receipt no.', demo: 'not a real occurrence', look: 'I am looking', open: /^Notices$/, received: 'Received', plans: /Plans|alarms that nobody/, story: 'What happened when' },
}

export async function officer(stage) {
  const w = words.bn
  const first = await stage.enter('officer', 'bn', 'laptop')
  const second = await stage.enter('officer', 'en', 'laptop')
  for (const said of [w.kind, w.factory, w.notSeen, w.demo]) await first.sees(said, '.queue')
  await first.sees(w.factory, '.hero')
  first.expect(!(await first.text()).includes('বের হন'), 'an officer far away is ordered to get out')
  await first.looks('queue')
  await first.page.locator('.queue a').first().click()
  await second.page.locator('.queue a').first().click()
  for (const said of [w.signal, w.receipt, 'DEMO-', w.demo]) await first.sees(said, '.case')
  await first.looks('case')
  await first.touches('button', w.seen)
  await first.sees(w.already, '.case')
  await first.looks('desk')
  await second.sees(words.en.already + ' officer', '.case')
  await second.looks('desk')
  await second.leave()
  await followsToTheNotice(first)
  await first.leave()
  await watchesFactories(stage)
}

async function followsToTheNotice(p) {
  const w = words[p.language]
  await p.touches('link', w.story)
  await p.sees('DEMO-', 'main ol')
  await p.page.goBack()
  await p.page.locator('.case a').filter({ hasText: w.open }).first().click()
  await p.sees(w.received, 'main ol li[aria-current=step]')
}

async function watchesFactories(stage) {
  for (const [language, size] of [['bn', 'phone'], ['bn', 'wall']]) {
    const w = words[language]
    const p = await stage.enter('officer', language, size)
    await p.sees(w.kind, '.queue')
    await p.looks('desk')
    await p.touches('link', w.plans)
    await p.page.waitForSelector('svg a')
    p.expect((await p.page.getByRole('button', { name: w.look }).count()) === 0, 'an officer is offered to acknowledge for the factory')
    await p.leave()
  }
}
