// SPDX-License-Identifier: Apache-2.0
// The sandbox's console against the OpenAPI document inside @adobe/aio-lib-console: every operation of it is asked, and
// each difference between document and answer has to be named here; one that is named and not there is a failure too.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { ask, set } from './lead.mjs'

const require = createRequire(process.env.MODULES + '/')
const Ajv = require('ajv')
const doc = require('@adobe/aio-lib-console/spec/api.json')

// Left out of the names below.
const org = '/console/organizations/{orgId}'
const project = { projectId: '4566206088344958395' }
const space = { ...project, workspaceId: '4566206088344958396' }
const started = { ...space, credentialId: '111002', intId: '111002', clientId: 'geometrixx-started-client', sdkCode: 'CampaignSDK' }
const scratch = { projectId: '4566206088344958595', workspaceId: '4566206088344958597' }

const reads = [
  ['/console/organizations', {}],
  ['/console/clients/{clientId}/credential', started],
  [`${org}/projects`, {}],
  [`${org}/projects/{projectId}`, project],
  [`${org}/projects/{projectId}/workspaces`, project],
  [`${org}/projects/{projectId}/workspaces/{workspaceId}`, space],
  [`${org}/projects/{projectId}/workspaces/{workspaceId}/credentials`, space],
  [`${org}/projects/{projectId}/workspaces/{workspaceId}/download`, space],
  [`${org}/projects_workspaces/credentials/{credentialId}`, started],
  [`${org}/clients/{clientId}/project_workspace`, started],
  [`${org}/integrations`, {}],
  [`${org}/integrations/{intId}`, started],
  [`${org}/integrations/{intId}/secrets`, started],
  [`${org}/integrations/entp/{intId}/bindings`, started],
  [`${org}/integrations/entp/{intId}/service/{sdkCode}/properties`, started],
  [`${org}/credentials/{credentialId}/secrets`, started],
  [`${org}/credentials/oauth-server-to-server/{credentialId}/status`, started],
  [`${org}/credentials/oauth-server-to-server/{credentialId}/binding`, started],
  [`${org}/recipients`, {}],
  // Again, in another state: never migrated, never used.
  [`${org}/projects/{projectId}/workspaces/{workspaceId}/download`, scratch],
  [`${org}/integrations/{intId}/secrets`, { intId: '111004' }],
  [`${org}/credentials/{credentialId}/secrets`, { credentialId: '111004' }]
]
// In this order: `secretId` and `bindingId` are what the calls before gave.
const writes = [
  ['post', `${org}/credentials/{credentialId}/secrets`, { credentialId: '111004' }],
  ['delete', `${org}/credentials/{credentialId}/secrets/{secretId}`, { credentialId: '111004' }],
  ['delete', `${org}/integrations/entp/{intId}/bindings/{bindingId}`, { intId: '111007' }],
  ['patch', `${org}/credentials/oauth-server-to-server/{credentialId}/finalize`, started],
  ['delete', `${org}/projects/{projectId}/workspaces/{workspaceId}/credentials/{credentialId}`, { ...scratch, credentialId: '111007' }],
  ['patch', `${org}/projects/{projectId}`, scratch, { name: 'again', title: 'Again' }],
  ['delete', `${org}/integrations/{intId}`, { intId: '111004' }],
  ['delete', `${org}/projects/{projectId}`, scratch]
]

// What the live API does otherwise, or is believed to.
const always = {
  // Null in the console's own answers.
  'GET /organizations': ['/*/description must be string'],
  'GET /integrations/{intId}': ['/defaultRedirectUri must be string'],
  // Only of a page that was asked for.
  'GET /projects': ['no X-Pagination-Page', 'no X-Pagination-Size', 'more: /*/appId'],
  'GET /projects/{projectId}': ['more: /appId', 'more: /metadata'],
  'GET /projects/{projectId}/workspaces/{workspaceId}/credentials': ['more: /*/integration_name'],
  // The prose documentation's sample has them.
  'GET /integrations/{intId}/secrets': ['more: /client_secrets/*/created_at_str', 'more: /client_secrets/*/expires_at_str'],
  'GET /credentials/{credentialId}/secrets': ['more: /client_secrets/*/created_at_str', 'more: /client_secrets/*/expires_at_str'],
  // A slip of the document: nobody's first name is a boolean.
  'GET /recipients': ['/*/firstname must be boolean']
}
// Switches of the sandbox: as the document has it, and the default, which is as clients' test data and samples have it.
const switches = {
  numbers_for_bools: ['false', 'true'],
  date_form: ['iso', 'ms'],
  workspace_place: ['org', 'project'],
  usages_null_when_unused: ['false', 'true']
}
const byDefault = {
  'GET /projects': ['/*/enabled must be boolean', '/*/deleted must be boolean'],
  'GET /projects/{projectId}': ['/enabled must be boolean', '/deleted must be boolean'],
  'GET /projects/{projectId}/workspaces': ['/*/enabled must be boolean', '/*/runtime_enabled must be boolean'],
  'GET /projects/{projectId}/workspaces/{workspaceId}': ['/enabled must be boolean', '/runtime_enabled must be boolean'],
  'GET /projects/{projectId}/workspaces/{workspaceId}/download': ['more: /project/workspace'],
  'GET /integrations': ['/content/*/createdDate must be string', '/content/*/lastModified must be string'],
  'GET /integrations/{intId}': ['/createdDate must be string', '/lastModifiedDate must be string'],
  'GET /integrations/{intId}/secrets': ['/client_secrets/*/secret_usages must be array'],
  'GET /credentials/{credentialId}/secrets': ['/client_secrets/*/secret_usages must be array']
}
// Status and fields as the prose documentation has them, at odds with the document.
const ofWrites = {
  'POST /credentials/{credentialId}/secrets': ['status 201', 'more: /uuid', 'more: /created_at', 'more: /created_at_str',
    'more: /secret_usages'],
  'DELETE /credentials/{credentialId}/secrets/{secretId}': ['status 204']
}
// Fields of the document that the sandbox never shows: nothing that the tool reads.
const leftOut = {
  'GET /clients/{clientId}/credential': ['/metadata/adobeid.domain'],
  'GET /integrations/{intId}': ['/domain', '/platform', '/serviceProperties/*/licenseConfigs/*/description'],
  'GET /integrations/entp/{intId}/service/{sdkCode}/properties': ['/licenseConfigs/*/description',
    '/licenseConfigs/*/selected', '/sdkList'],
  'GET /projects/{projectId}/workspaces': ['/*/quota_usage', '/*/who_created', '/*/who_last_modified'],
  'GET /projects/{projectId}/workspaces/{workspaceId}': ['/quota_usage', '/who_created', '/who_last_modified'],
  'GET /projects/{projectId}/workspaces/{workspaceId}/download': ['/project/description',
    '/project/org/workspace/title', '/project/org/workspace/description',
    '/project/org/workspace/details/credentials/*/apiKey', '/project/org/workspace/details/credentials/*/oauth2',
    '/project/org/workspace/details/events', '/project/org/workspace/details/mesh',
    '/project/org/workspace/details/runtime']
}

// The document lists few fields as required and forbids none. Here an unknown one is a difference as well.
function closed (schema) {
  if (Array.isArray(schema)) return schema.map(closed)
  if (schema === null || typeof schema !== 'object') return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([k, v]) => [k, closed(v)]))
  return copy.type === 'object' && copy.properties !== undefined ? { ...copy, additionalProperties: false } : copy
}
const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false })
ajv.addSchema({ $id: 'doc', components: closed(doc.components) })

function compare (operation, answer) {
  const found = new Set()
  const said = operation.responses[answer.status]
  if (said === undefined) found.add(`status ${answer.status}`)
  const good = said ?? operation.responses[200] ?? operation.responses[201]
  for (const name of Object.keys(said?.headers ?? {})) {
    if (answer.headers[name.toLowerCase()] === undefined) found.add(`no ${name}`)
  }
  const schema = good?.content?.['application/json']?.schema
  if (schema === undefined || answer.status >= 300) return [...found]
  if (!/^application\/json/.test(answer.headers['content-type'] ?? '')) found.add('not JSON')
  const text = JSON.stringify(closed(schema)).replaceAll('"#/', '"doc#/')
  const validate = ajv.compile(JSON.parse(text))
  if (!validate(answer.json)) {
    for (const e of validate.errors) {
      const at = e.instancePath.replace(/\/\d+/g, '/*')
      found.add(e.keyword === 'additionalProperties' ? `more: ${at}/${e.params.additionalProperty}` : `${at} ${e.message}`)
    }
  }
  return [...found]
}

async function call (method, path, values, { body, token = 'fake-admin-token', key = 'fake-console-key' } = {}) {
  const url = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent({ orgId: '23294', ...values }[name] ?? `some-${name}`))
  return ask(method.toUpperCase(), `https://developers.adobe.io${url}`, {
    headers: { Authorization: `Bearer ${token}`, 'x-api-key': key, 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body)
  })
}

// The document's fields of every object in the answer: whether any such object has them.
function fields (schema, value, at, seen) {
  if (schema?.$ref !== undefined) return fields(doc.components.schemas[schema.$ref.split('/').pop()], value, at, seen)
  if (Array.isArray(value)) return value.forEach((v) => fields(schema?.items, v, `${at}/*`, seen))
  if (value === null || typeof value !== 'object') return
  for (const [name, s] of Object.entries(schema?.properties ?? {})) {
    const here = `${at}/${name}`
    seen.set(here, seen.get(here) === true || name in value)
    if (name in value) fields(s, value[name], here, seen)
  }
}

const short = (method, path) => `${method.toUpperCase()} ${path.replace(org, '').replace('/console', '') || '/'}`
function merged (...tables) {
  const all = {}
  for (const [name, found] of tables.flatMap(Object.entries)) all[name] = [...(all[name] ?? []), ...found]
  return sorted(all)
}
const sorted = (table) => Object.fromEntries(Object.entries(table).filter(([, l]) => l.length > 0)
  .map(([name, l]) => [name, [...new Set(l)].sort()]).sort(([a], [b]) => (a < b ? -1 : 1)))

export default async function (test) {
  const answers = async (of) => {
    const all = {}
    for (const [path, values] of reads) {
      const operation = doc.paths[path].get
      const name = short('get', path)
      all[name] = [...(all[name] ?? []), ...of(operation, await call('get', path, values), name)]
    }
    return sorted(all)
  }
  const turn = async (side) => {
    for (const [name, sides] of Object.entries(switches)) await set(name, sides[side])
  }

  await turn(0)
  await test('reads, as the document has it', async () => {
    assert.deepEqual(await answers(compare), merged(always))
  })
  await test('fields left out', async () => {
    const seen = {}
    await answers((operation, answer, name) => {
      seen[name] ??= new Map()
      fields(operation.responses[200].content['application/json'].schema, answer.json, '', seen[name])
      return []
    })
    const never = Object.entries(seen).map(([name, all]) => [name, [...all].filter(([, has]) => !has).map(([at]) => at)])
    assert.deepEqual(sorted(Object.fromEntries(never)), sorted(leftOut))
  })
  await turn(1)
  await test('reads, as the sandbox is by default', async () => {
    assert.deepEqual(await answers(compare), merged(always, byDefault))
  })
  await test('pages of projects', async () => {
    const answer = await call('get', `${org}/projects?page=1&size=2`, {})
    assert.deepEqual(compare(doc.paths[`${org}/projects`].get, answer).filter((d) => d.startsWith('no ')), [])
    for (const bad of ['page=0', 'size=none', 'sortField=name', 'sortOrder=asc']) {
      assert.equal((await call('get', `${org}/projects?page=1&${bad}`, {})).status, 400, bad)
    }
  })
  await test('what is not there', async () => {
    for (const [path] of reads.filter(([path]) => /\{(?!orgId)/.test(path))) {
      const { status } = await call('get', path, {})
      const said = doc.paths[path].get.responses
      assert.equal(status, said[404] === undefined ? 500 : 404, path)
      assert.ok(said[status] !== undefined, path)
    }
  })
  await test('no token is 401, another key 403, another organization 403', async () => {
    for (const [method, path, values] of [...reads.map((r) => ['get', ...r]), ...writes]) {
      const of = { secretId: 'some', bindingId: 'some', ...values }
      assert.equal((await call(method, path, of, { token: 'nobody' })).status, 401, short(method, path))
      assert.equal((await call(method, path, of, { key: 'some-key' })).status, 403, short(method, path))
      if (path.startsWith(org)) assert.equal((await call(method, path, { ...of, orgId: '99' })).status, 403, short(method, path))
    }
  })
  await test('writes', async () => {
    const got = {}
    const found = {}
    const [binding] = (await call('get', `${org}/integrations/entp/{intId}/bindings`, { intId: '111007' })).json
    for (const [method, path, values, body] of writes) {
      const answer = await call(method, path, { secretId: got.uuid, bindingId: binding.bindingId, ...values }, { body })
      assert.ok(answer.status < 300, `${short(method, path)}: ${answer.status} ${answer.text}`)
      Object.assign(got, answer.json)
      found[short(method, path)] = compare(doc.paths[path][method], answer)
    }
    assert.deepEqual(sorted(found), sorted(ofWrites))
  })
  const served = new Set([...reads.map(([path]) => short('get', path)), ...writes.map(([method, path]) => short(method, path))])
  let absent = 0
  await test('every other operation is 404', async () => {
    for (const [path, item] of Object.entries(doc.paths)) {
      for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
        if (item[method] === undefined || served.has(short(method, path))) continue
        absent++
        const answer = await call(method, path, { ...started, orgCode: '23294', credentialType: 'entp' },
          { body: method === 'get' || method === 'delete' ? undefined : {} })
        assert.equal(answer.status, 404, short(method, path))
      }
    }
  })
  console.log(`# ${served.size} operations of the document are served, ${absent} are not`)
}
