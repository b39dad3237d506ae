// SPDX-License-Identifier: Apache-2.0
// Runs the tests one after the other, since they share one world; the last line is the total.
import { refused } from './lead.mjs'
import assert from 'node:assert/strict'

const only = process.argv[2]
let passed = 0
let failed = 0

async function test (name, body) {
  if (only !== undefined && !name.includes(only)) return
  try {
    await body()
    passed++
    console.log(`ok - ${name}`)
  } catch (e) {
    failed++
    console.log(`not ok - ${name}\n${String(e.stack).replace(/^/gm, '    | ')}`)
  }
}

for (const suite of ['console', 'campaign', 'document']) {
  await (await import(`./${suite}.mjs`)).default((name, body) => test(`${suite}: ${name}`, body))
}
await test('nothing but the sandbox was asked', async () => assert.deepEqual(refused, []))
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
