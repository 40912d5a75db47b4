// Tells the stories against a running Nirapod in which a fire has been seen and
// a notice received: node run.mjs URL CHROMIUM DIR [ROLE…]. Pictures go to DIR.
// Exit status 1 names what a person would miss.
import { committee } from './committee.mjs'
import { installer } from './installer.mjs'
import { officer } from './officer.mjs'
import { Stage } from './stage.mjs'

const [, , url, chromium, dir, ...only] = process.argv
const stage = await Stage.open(url, chromium, dir)
for (const [role, story] of Object.entries({ committee, officer, installer })) {
  if (only.length && !only.includes(role)) continue
  const began = Date.now()
  await story(stage).catch((e) => stage.wrong.push(`${role}: ${e.stack}`))
  console.log(`${role}: ${((Date.now() - began) / 1000).toFixed(1)} s`)
}
await stage.close()
for (const w of stage.wrong) console.log('wrong:', w)
console.log(`${stage.wrong.length} wrong`)
process.exit(stage.wrong.length ? 1 : 0)
