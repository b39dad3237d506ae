// SPDX-License-Identifier: Apache-2.0
// @adobe/aio-lib-campaign-standard, unchanged, against the sandbox. Its document has no response schemas, so the fields
// are those of Adobe's Campaign Standard guides.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { ask, asked, mint, set } from './lead.mjs'

const require = createRequire(process.env.MODULES + '/')
const { init } = require('@adobe/aio-lib-campaign-standard')

const pkey = '@some'
const trigger = 'https://mc.adobe.io/geometrixx/campaign/workflow/execution/WKF101/signal'
// Nothing of it has a model in the sandbox. A read of what it does not know is 404, any write 405.
const unserved = {
  createProfile: [{ email: 'a@example.com' }],
  updateProfile: [pkey, {}],
  getAllServices: [],
  createService: [{}],
  getService: [pkey],
  getHistoryOfProfile: [pkey],
  getCustomResources: [],
  createGDPRRequest: [{}],
  getGDPRRequest: [],
  sendTransactionalEvent: ['event', {}],
  sendTransactionalEventForMacTenantId: ['geometrixx', 'event', {}],
  getTransactionalEvent: ['event', pkey],
  getTransactionalEventForMacTenantId: ['geometrixx', 'event', pkey],
  controlWorkflow: ['WKF101', 'stop'],
  getAllOrgUnits: [],
  updateProfileOrgUnit: [pkey, pkey],
  updateOrgUnit: [pkey, {}],
  getAllCustomResources: ['cusThing'],
  getAllBasicCustomResources: ['cusThing'],
  getAllProfileAndServicesExt: ['cusThing'],
  createCustomResource: ['cusThing', {}],
  updateCustomResource: ['cusThing', pkey, {}],
  deleteCustomResource: ['cusThing', pkey]
}

async function fails (promise, code, text) {
  await assert.rejects(promise, (e) => {
    assert.equal(e.code, code)
    assert.match(e.message, text)
    return true
  })
}

export default async function (test) {
  const client = 'geometrixx-started-client'
  const token = await mint(client, 'fake-started-secret', 'openid,AdobeID,campaign_sdk')
  const sdk = await init('geometrixx', client, token)
  const used = new Set(Object.keys(unserved))
  const api = new Proxy(sdk, {
    get (target, name) {
      used.add(name)
      return target[name].bind(target)
    }
  })
  const headers = { Authorization: `Bearer ${token}`, 'X-Api-Key': client, 'Cache-Control': 'no-cache' }
  const emails = async (parameters) => (await api.getAllProfiles(parameters)).body.content.map((p) => p.email)

  await test('profiles, the first page', async () => {
    const { status, body } = await api.getAllProfiles()
    assert.equal(status, 200)
    assert.equal(body.content.length, 25)
    assert.equal(body.serverSidePagination, true)
    const [one] = body.content
    assert.match(one.PKey, /^@/)
    assert.equal(one.externalId, 'aaaaaaaa-0000-4000-8000-000000000001')
    assert.equal(one.firstName, 'Ann')
    assert.match(one.created, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.match(one.href, /\/geometrixx\/campaign\/profileAndServices\/profile\/@/)
  })
  await test('profiles, all pages and their count, by the links', async () => {
    const first = (await api.getAllProfiles({ lineCount: 25 })).body
    const count = await ask('GET', first.count.href, { headers })
    assert.deepEqual(count.json, { count: 60 })
    const keys = first.content.map((p) => p.PKey)
    let next = first.next
    for (; next !== undefined;) {
      const page = await ask('GET', next.href, { headers })
      assert.equal(page.status, 200)
      keys.push(...page.json.content.map((p) => p.PKey))
      next = page.json.next
    }
    assert.equal(new Set(keys).size, 60)
    assert.equal(keys.length, 60)
  })
  await test('relative links', async () => {
    await set('relative_hrefs', true)
    const { next } = (await api.getAllProfiles({ lineCount: 2 })).body
    assert.match(next.href, /^\/geometrixx\/campaign\/profileAndServices\/profile\/?\?/)
    await set('relative_hrefs', false)
  })
  await test('a slash that the client encodes is 400', async () => {
    // It puts a whole path, or several filters, in one path segment. What the real server makes of %2F nobody says.
    await fails(api.getDataFromRelativeUrl('profileAndServices/profile'), 'ERROR_GET_DATA_FROM_RELATIVE_URL', /400/)
    await fails(api.getAllProfiles({ filters: ['byText', 'byEmail'] }), 'ERROR_GET_ALL_PROFILES', /400/)
  })
  await test('profiles, by text and type: a prefix', async () => {
    const by = { filters: ['byText'], filterType: 'email' }
    assert.deepEqual(await emails({ ...by, text: 'ann@example.com' }), ['ann@example.com', 'ann@example.community'])
    assert.deepEqual(await emails({ ...by, text: 'Ann@example.com' }), [])
    assert.deepEqual(await emails({ ...by, filterType: 'lastName', text: 'Ad' }), ['zoe@example.com'])
  })
  await test('profiles, by e-mail and by a filter of their own', async () => {
    assert.deepEqual(await emails({ filters: ['byEmail'], email: 'ann@example.com' }), ['ann@example.com'])
    assert.deepEqual(await emails({
      filters: ['byExternalId'], hasCustomFilter: true, externalId_parameter: 'aaaaaaaa-0000-4000-8000-000000000003'
    }), ['zoe@example.com'])
    await fails(api.getAllProfiles({ filters: ['byNothing'] }), 'ERROR_GET_ALL_PROFILES', /404/)
  })
  await test('profiles, how many and in which order', async () => {
    assert.deepEqual(await emails({ lineCount: 2, order: 'email' }), ['ann@example.com', 'ann@example.community'])
    assert.deepEqual(await emails({ lineCount: 2, _order: 'email desc' }), ['zoe@example.com', 'made.up.9@example.com'])
    assert.equal((await emails({ lineCount: 60 })).length, 60)
    assert.equal((await api.getAllProfiles({ lineCount: 60 })).body.next, undefined)
  })
  await test('profiles, the client\'s own descending order', async () => {
    // The client encodes "%20desc" once more, and no server that decodes once knows such an order.
    await fails(api.getAllProfiles({ order: 'email', descendingSort: true }), 'ERROR_GET_ALL_PROFILES', /500/)
  })
  await test('profiles of a big table', async () => {
    await set('big_table', 50)
    assert.equal((await api.getAllProfiles()).body.next, undefined)
    assert.notEqual((await api.getAllProfiles({ _forcePagination: true })).body.next, undefined)
    await set('big_table', 100000)
  })
  await test('one profile', async () => {
    const [one] = (await api.getAllProfiles({ lineCount: 1 })).body.content
    assert.deepEqual((await api.getProfile(one.PKey)).body, one)
    assert.deepEqual((await api.getProfileWithOrgUnit(one.PKey)).body, one)
    await fails(api.getProfile(pkey), 'ERROR_GET_PROFILE', /404/)
  })
  await test('metadata and its filters', async () => {
    const { body } = await api.getMetadataForResource('profile')
    assert.match(body.filters.href, /resourceType\/profile\/filters$/)
    const filters = (await ask('GET', body.filters.href, { headers })).json
    assert.deepEqual(Object.keys(filters), ['byText', 'byEmail', 'byExternalId'])
    assert.match(filters.byExternalId.data, /externalId_parameter=\$value/)
    for (const other of ['service', 'history']) {
      await fails(api.getMetadataForResource(other), 'ERROR_GET_METADATA_FOR_RESOURCE', /404/)
    }
    await fails(api.getMetadataForResourceExt('cusThing'), 'ERROR_GET_METADATA_FOR_RESOURCE_EXT', /404/)
  })
  await test('a workflow', async () => {
    const { body } = await api.getWorkflow('WKF101')
    assert.match(body.PKey, /^@/)
    assert.equal(body.state, 'started')
    assert.notEqual(body.activities.activity, undefined)
    await fails(api.getWorkflow('WKF9'), 'ERROR_GET_WORKFLOW', /404/)
  })

  await test('no token that lives is 401, a wrong key 403', async () => {
    const bad = await init('geometrixx', client, 'nobody')
    await fails(bad.getAllProfiles(), 'ERROR_GET_ALL_PROFILES', /401.*401013.*Oauth token is not valid/s)
    const key = await init('geometrixx', 'some-key', token)
    await fails(key.getAllProfiles(), 'ERROR_GET_ALL_PROFILES', /403.*403003.*Api Key is invalid/s)
  })
  await test('another tenant is 403, an unknown one Oops', async () => {
    const other = await init('contoso', client, token)
    await fails(other.getAllProfiles(), 'ERROR_GET_ALL_PROFILES', /403.*403023.*Profile is not valid/s)
    const none = await init('nowhere', client, token)
    await fails(none.getWorkflow('WKF101'), 'ERROR_GET_WORKFLOW', /500.*Oops/s)
  })

  for (const [name, args] of Object.entries(unserved)) {
    await test(`${name} is not served`, async () => {
      const seen = await asked(() => assert.rejects(sdk[name](...args), /40[45]/))
      assert.equal(seen.length, 1)
    })
  }
  await test('what posts to a link of the server\'s is refused by the server', async () => {
    assert.equal((await api.postDataToUrl(trigger, { source: 'API' })).status, 405)
    assert.equal((await api.triggerSignalActivity(trigger, { source: 'API' })).error_code, 'RST-360011')
    assert.equal((await api.getGDPRDataFile(trigger, 'some')).error_code, 'RST-360011')
  })
  await test('no method of the client was forgotten', () => {
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(sdk))
      .filter((n) => n !== 'constructor' && n !== 'init' && !n.startsWith('__'))
    assert.deepEqual(methods.filter((n) => !used.has(n)), [])
  })
}
