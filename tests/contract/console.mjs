// SPDX-License-Identifier: Apache-2.0
// @adobe/aio-lib-console, unchanged, against the sandbox: every method that it has, and the life of a migration.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { advance, asked, fault, happen, mint, set } from './lead.mjs'

const require = createRequire(process.env.MODULES + '/')
const { init } = require('@adobe/aio-lib-console')

const org = '23294'
const jwt = { project: '4566206088344958295', workspace: '4566206088344958296', id: '111001', client: 'geometrixx-jwt-client' }
const started = { project: '4566206088344958395', workspace: '4566206088344958396', id: '111002' }
const completed = { project: '4566206088344958495', workspace: '4566206088344958496', id: '111003' }
const scratch = { project: '4566206088344958595', workspace: '4566206088344958597' }
const unused = '4566206088344958695'

// What has no model in the sandbox: it says 404, as for any path that it does not know. Calls of ours pass as little as
// gets the client to send.
const details = { name: 'a name', description: 'words', title: 'A title', type: 'default', platform: 'web' }
const unserved = {
  createFireflyProject: [org, { ...details }],
  createProject: [org, details],
  createWorkspace: [org, jwt.project, details],
  editWorkspace: [org, jwt.project, jwt.workspace, details],
  deleteWorkspace: [org, jwt.project, jwt.workspace],
  createOAuthServerToServerCredential: [org, jwt.project, jwt.workspace, 'a name', 'words'],
  getProjectInstallConfig: [jwt.project],
  createAdobeIdCredential: [org, jwt.project, jwt.workspace, details],
  createAnalyticsCredential: [org, jwt.project, jwt.workspace, details],
  subscribeCredentialToServices: [org, jwt.project, jwt.workspace, 'entp', jwt.id, []],
  getProjectForWorkspace: [org, jwt.workspace],
  getOrganizationFeatures: [org],
  getServicesForOrg: [org],
  getServicesForOrgV2: [org],
  checkOrgDevTerms: [org],
  acceptOrgDevTerms: [org],
  getDevTerms: [],
  createRuntimeNamespace: [org, jwt.project, jwt.workspace],
  getPluginsForWorkspace: [org, jwt.project, jwt.workspace],
  createAdobeIdIntegration: [org, details],
  updateAdobeIdIntegration: [org, jwt.id, details],
  subscribeAdobeIdIntegrationToServices: [org, jwt.id, []],
  subscribeEnterpriseIntegrationToServices: [org, jwt.id, []],
  subscribeOAuthServerToServerIntegrationToServices: [org, jwt.id, []],
  getAtlasApplicationPolicy: [org, jwt.id],
  getAllExtensionPoints: [org],
  getApplicationExtensions: [org, 'app'],
  getEndPointsInWorkspace: [org, jwt.project, jwt.workspace],
  updateEndPointsInWorkspace: [org, jwt.project, jwt.workspace, {}],
  createOauthS2SCredentialIntegration: [org, details],
  getWorkspaceInfoForRuntimeNamespace: [org, 'namespace']
}
// They upload a certificate, past the client's own networking or as a file; no certificate is accepted since mid-2025.
const uploads = ['createEnterpriseCredential', 'createEnterpriseIntegration', 'uploadAndBindCertificate']
// These do not fit Adobe's own document: an operation that is gone, a parameter that is missing. They send nothing.
const broken = { createIMSOrg: [], getAtlasQuotaUsage: [org, jwt.id] }

async function fails (promise, code, text) {
  await assert.rejects(promise, (e) => {
    assert.equal(e.code, code)
    assert.match(e.message, text)
    assert.equal(e.sdk, 'CoreConsoleAPISDK')
    return true
  })
}
const types = async (sdk, c) =>
  (await sdk.getCredentials(org, c.project, c.workspace)).body.map((row) => row.credential_type)
const has = (thing, wanted) => assert.deepEqual({ ...thing, ...wanted }, thing)

export default async function (test) {
  const sdk = await init('fake-admin-token', 'fake-console-key', 'prod')
  const used = new Set([...Object.keys(unserved), ...uploads, ...Object.keys(broken)])
  const real = Object.getPrototypeOf(sdk)
  const api = new Proxy(sdk, {
    get (target, name) {
      used.add(name)
      return target[name].bind(target)
    }
  })
  // Operations that Adobe's document has and the client has no method for, through the client all the same.
  const operation = (method, path, parameters, as = sdk) => {
    const id = `${method}/console/organizations/{orgId}${path}`.replace(/[^a-z0-9]/gi, '_')
    const send = Object.values(as.sdk.apis).find((group) => group[id])[id]
    return send({ Authorization: '-', 'x-api-key': as.apiKey, orgId: org, ...parameters })
  }
  const status = async (c) => (await operation('get', '/credentials/oauth-server-to-server/{credentialId}/status',
    { credentialId: c.id })).body.migrationStatus

  await test('organizations', async () => {
    const res = await api.getOrganizations()
    assert.equal(res.status, 200)
    assert.deepEqual(res.body.map((o) => [o.id, o.code, o.name, o.role]), [
      ['23294', '8C5F1A2B3D4E5F60@AdobeOrg', 'Geometrixx', 'ADMIN'],
      ['31000', '1A2B3C4D5E6F7A8B@AdobeOrg', 'Contoso', 'ADMIN']])
  })
  await test('organizations of somebody else', async () => {
    const partner = await init('fake-partner-token', 'fake-console-key')
    assert.deepEqual((await partner.getOrganizations()).body.map((o) => [o.id, o.role]), [['31000', 'DEVELOPER']])
    await fails(partner.getProjectsForOrg(org), 'ERROR_GET_PROJECTS_BY_ORG_ID', /403/)
  })
  await test('the stage host answers as well', async () => {
    const stage = await init('fake-admin-token', 'fake-console-key', 'stage')
    assert.equal((await stage.getOrganizations()).body.length, 2)
  })
  await test('projects', async () => {
    const res = await api.getProjectsForOrg(org)
    assert.equal(res.headers['x-pagination-count'], '5')
    assert.deepEqual(res.body.map((p) => p.id), [jwt, started, completed, scratch].map((c) => c.project).concat(unused))
    has(res.body[0], { title: 'Geometrixx D365 jwt', name: 'geometrixxd365jwt', org_id: org, type: 'default' })
  })
  await test('projects, filtered, sorted and paged', async () => {
    const ids = async (parameters) => (await operation('get', '/projects', parameters)).body.map((p) => p.id)
    assert.deepEqual(await ids({ title: 'Geometrixx D365 jwt' }), [jwt.project])
    assert.deepEqual(await ids({ title: 'Geometrixx D365' }), [])
    assert.deepEqual(await ids({ credentialFlowType: 'entp', credentialType: 'service' }),
      [jwt.project, started.project, scratch.project])
    assert.deepEqual(await ids({ credentialType: 'oauth_server_to_server' }), [completed.project, scratch.project])
    assert.deepEqual(await ids({ projectIds: `${unused},${jwt.project}` }), [jwt.project, unused])
    assert.deepEqual(await ids({ sortField: 'title', sortOrder: 'DESC', page: 1, size: 2 }), [unused, scratch.project])
    assert.deepEqual(await ids({ sortField: 'title', sortOrder: 'DESC', page: 3, size: 2 }), [completed.project])
    const page = await operation('get', '/projects', { page: 2, size: 2 })
    assert.deepEqual(['count', 'page', 'size'].map((k) => page.headers[`x-pagination-${k}`]), ['5', '2', '2'])
    await assert.rejects(operation('get', '/projects', { page: 1, size: -1 }), { status: 400 })
  })
  await test('one project', async () => {
    has((await api.getProject(org, jwt.project)).body, { id: jwt.project, title: 'Geometrixx D365 jwt' })
  })
  await test('a project that is not there is 500, tried four times', async () => {
    const seen = await asked(() => fails(api.getProject(org, '99'), 'ERROR_GET_PROJECT_BY_ID', /500.*x-request-id=/s))
    assert.deepEqual(seen, Array(4).fill(`GET /console/organizations/${org}/projects/99`))
  })
  await test('workspaces', async () => {
    const res = await api.getWorkspacesForProject(org, scratch.project)
    assert.deepEqual(res.body.map((w) => w.name), ['Production', 'Stage'])
    has((await api.getWorkspace(org, scratch.project, scratch.workspace)).body, { id: scratch.workspace, name: 'Stage' })
  })
  await test('credentials in each state', async () => {
    const rows = (await api.getCredentials(org, jwt.project, jwt.workspace)).body
    assert.equal(rows.length, 1)
    has(rows[0], { id_workspace: jwt.workspace, id_integration: jwt.id, flow_type: 'entp', credential_type: 'service' })
    assert.deepEqual(await types(sdk, started), ['oauth_server_to_server_migrate'])
    assert.deepEqual(await types(sdk, completed), ['oauth_server_to_server'])
    assert.equal(await status(jwt), 'NOT_STARTED')
    assert.equal(await status(started), 'STARTED')
    assert.equal(await status(completed), 'COMPLETED')
    assert.equal(await status({ id: '111004' }), 'NONE')
  })
  await test('a workspace as JSON', async () => {
    const one = (await api.downloadWorkspaceJson(org, jwt.project, jwt.workspace)).body.project
    has(one, { id: jwt.project, title: 'Geometrixx D365 jwt' })
    has(one.org, { id: org, ims_org_id: '8C5F1A2B3D4E5F60@AdobeOrg' })
    const [cred] = one.workspace.details.credentials
    has(cred, { id: jwt.id, integration_type: 'service' })
    has(cred.jwt, { client_id: jwt.client, client_secret: 'fake-jwt-secret', technical_account_id: 'FAKE1@techacct.adobe.com' })
    assert.deepEqual(one.workspace.details.services.map((s) => s.code), ['CampaignSDK', 'AdobeIOManagementAPISDK'])
    const two = (await api.downloadWorkspaceJson(org, started.project, started.workspace)).body.project
    has(two.workspace.details.credentials[0].oauth_server_to_server, { client_secrets: ['fake-started-secret'] })
  })
  await test('integrations', async () => {
    const res = (await api.getIntegrationsForOrg(org)).body
    has(res, { page: 0, total: 7 })
    assert.deepEqual(res.content.map((i) => i.id), ['111001', '111002', '111003', '111004', '111005', '111006', '111007'])
  })
  await test('one integration', async () => {
    const one = (await api.getIntegration(org, jwt.id)).body
    has(one, { id: jwt.id, apikey: jwt.client, orgId: org, status: 'ENABLED', type: 'entp', readOnly: false })
    const campaign = one.serviceProperties.find((s) => s.sdkCode === 'CampaignSDK')
    assert.deepEqual(campaign.licenseConfigs.map((c) => c.name), ['geometrixx'])
    await fails(api.getIntegration(org, '99'), 'ERROR_GET_INTEGRATION', /404/)
  })
  await test('one service of an integration', async () => {
    const res = (await api.getSDKProperties(org, jwt.id, 'CampaignSDK')).body
    has(res, { sdkCode: 'CampaignSDK' })
    assert.deepEqual(res.licenseConfigs.map((c) => c.name), ['geometrixx'])
    await fails(api.getSDKProperties(org, jwt.id, 'NoSuchSDK'), 'ERROR_GET_SDK_PROPERTIES', /404/)
  })
  await test('certificate bindings', async () => {
    const [one, ...more] = (await api.getBindingsForIntegration(org, jwt.id)).body
    assert.equal(more.length, 0)
    assert.equal(one.notAfter, Date.parse('2026-12-23T08:00:00Z'))
    assert.match(one.certificateFingerprint, /^[0-9a-f:]{40,}$/i)
    assert.deepEqual((await api.getBindingsForIntegration(org, completed.id)).body, [])
  })
  await test('client secrets of the deprecated call show their text', async () => {
    const res = (await api.getIntegrationSecrets(org, jwt.id)).body
    assert.equal(res.client_id, jwt.client)
    assert.deepEqual(res.client_secrets.map((s) => s.client_secret), ['fake-jwt-secret'])
  })
  await test('where a credential lives', async () => {
    assert.deepEqual((await api.getWorkspaceForCredential(org, jwt.id)).body,
      [{ projectId: jwt.project, workspaceId: jwt.workspace, credentialId: jwt.id }])
    await fails(api.getWorkspaceForCredential(org, '222001'), 'ERROR_GET_PROJECT_WORKSPACE_BY_CREDENTIAL', /404/)
  })

  await test('no token that lives is 401, a wrong key 403', async () => {
    for (const token of ['nobody', 'fake-old-token']) {
      const bad = await init(token, 'fake-console-key')
      await fails(bad.getOrganizations(), 'ERROR_GET_ORGANIZATIONS', /401 - Unauthorized.*401013.*x-request-id=/s)
      await fails(bad.getProject(org, jwt.project), 'ERROR_GET_PROJECT_BY_ID', /401/)
    }
    const bad = await init('fake-admin-token', 'some-key')
    await fails(bad.getOrganizations(), 'ERROR_GET_ORGANIZATIONS', /403 - Forbidden.*403003/s)
    await fails(bad.getCredentials(org, jwt.project, jwt.workspace), 'ERROR_GET_CREDENTIALS', /403/)
  })
  await test('a token of a credential sees its own secrets and nothing else', async () => {
    const token = await mint('geometrixx-completed-client', 'fake-completed-secret', 'openid,AdobeID')
    const own = await init(token, 'geometrixx-completed-client')
    await fails(own.getProjectsForOrg(org), 'ERROR_GET_PROJECTS_BY_ORG_ID', /403/)
    const res = await operation('get', '/credentials/{credentialId}/secrets', { credentialId: completed.id }, own)
    assert.equal(res.body.client_secrets.length, 1)
  })
  await test('throttled or failing once: the client tries again', async () => {
    for (const rule of [{ code: 429, retry_after: 1 }, { code: 503 }]) {
      await fault({ kind: 'status', times: 1, twin: 'console', ...rule })
      const seen = await asked(async () => assert.equal((await sdk.getOrganizations()).status, 200))
      assert.equal(seen.length, 2)
    }
  })

  await test('a migration, from the start to the end', async () => {
    const secrets = async () => (await operation('get', '/credentials/{credentialId}/secrets', { credentialId: jwt.id }))
      .body.client_secrets
    assert.equal((await secrets())[0].secret_usages, null)
    await happen({ do: 'start-migration', credential: jwt.id })
    assert.deepEqual(await types(sdk, jwt), ['oauth_server_to_server_migrate'])
    assert.equal(await status(jwt), 'STARTED')
    assert.equal((await api.getIntegration(org, jwt.id)).body.apikey, jwt.client)
    await assert.rejects(operation('post', '/credentials/{credentialId}/secrets', { credentialId: jwt.id }), { status: 400 })

    await mint(jwt.client, 'fake-jwt-secret', 'openid,AdobeID')
    assert.equal((await secrets())[0].secret_usages, null)
    await advance('11m')
    assert.deepEqual((await secrets())[0].secret_usages,
      [{ last_used_at: String(Date.parse('2026-11-23T08:00:00Z')), grant_type: 'client_credentials' }])

    await advance('25h')
    const res = await operation('patch', '/credentials/oauth-server-to-server/{credentialId}/finalize', { credentialId: jwt.id })
    assert.equal(res.status, 200)
    assert.equal(await status(jwt), 'COMPLETED')
    assert.deepEqual(await types(sdk, jwt), ['oauth_server_to_server'])
    assert.deepEqual((await api.getBindingsForIntegration(org, jwt.id)).body, [])
    const [cred] = (await api.downloadWorkspaceJson(org, jwt.project, jwt.workspace)).body.project.workspace.details.credentials
    has(cred, { id: jwt.id, integration_type: 'oauth_server_to_server' })
    assert.equal(cred.oauth_server_to_server.client_id, jwt.client)
  })
  await test('a migration in two rows', async () => {
    await set('one_row', false)
    assert.deepEqual(await types(sdk, started), ['service', 'oauth_server_to_server'])
    await set('type_key', 'integration_type')
    assert.deepEqual((await sdk.getCredentials(org, started.project, started.workspace)).body.map((r) => r.integration_type),
      ['service', 'oauth_server_to_server'])
    await set('one_row', true)
    await set('type_key', 'credential_type')
  })

  await test('writes', async () => {
    assert.equal((await api.editProject(org, scratch.project, { name: 'renamed', title: 'Renamed' })).status, 200)
    has((await sdk.getProject(org, scratch.project)).body, { name: 'renamed', title: 'Renamed' })
    const [binding] = (await sdk.getBindingsForIntegration(org, '111005')).body
    assert.equal((await api.deleteBinding(org, '111005', binding.bindingId)).status, 200)
    assert.deepEqual((await sdk.getBindingsForIntegration(org, '111005')).body, [])
    assert.equal((await api.deleteIntegration(org, '111005')).status, 204)
    assert.equal((await api.deleteCredentialById(org, scratch.project, scratch.workspace, '111006')).status, 200)
    used.add('deleteCredential') // the same, under its old name
    assert.deepEqual((await sdk.getCredentials(org, scratch.project, scratch.workspace)).body.map((r) => r.id_integration),
      ['111007'])
    assert.equal((await api.deleteProject(org, unused)).status, 200)
    assert.equal((await sdk.getProjectsForOrg(org)).body.length, 4)
  })

  for (const [name, args] of Object.entries(unserved)) {
    await test(`${name} is not served`, async () => {
      const seen = await asked(() => assert.rejects(sdk[name](...args), /404/))
      assert.equal(seen.length, 1)
    })
  }
  for (const [name, args] of Object.entries(broken)) {
    await test(`${name} cannot be sent`, async () => {
      assert.deepEqual(await asked(() => assert.rejects(sdk[name](...args))), [])
    })
  }
  await test('no method of the client was forgotten', () => {
    const methods = Object.getOwnPropertyNames(real).filter((n) => n !== 'constructor' && n !== 'init' && !n.startsWith('__'))
    assert.deepEqual(methods.filter((n) => !used.has(n)), [])
    assert.deepEqual([...used].filter((n) => typeof n === 'string' && !methods.includes(n)), [])
  })
}
