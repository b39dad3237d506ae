// SPDX-License-Identifier: Apache-2.0
// Leads Adobe's hosts to the sandbox, below the clients, which stay as Adobe publishes them: same URL, same Host header,
// same path; only the TCP connection goes to loopback, and TLS asks for the sandbox's name. Any other host is refused.
import https from 'node:https'
import http from 'node:http'

const box = new URL(process.env.URL.trim())
const adobe = ['developers.adobe.io', 'developers-stage.adobe.io', 'developer.adobe.com', 'mc.adobe.io']
const connect = https.globalAgent.createConnection

export const refused = []
https.globalAgent.createConnection = function (options, done) {
  if (!adobe.includes(options.host) && options.host !== box.hostname) {
    refused.push(options.host)
    throw new Error(`a client wants to reach ${options.host}`)
  }
  return connect.call(this, { ...options, host: box.hostname, port: box.port, servername: 'localhost' }, done)
}
http.globalAgent.createConnection = (options) => {
  refused.push(options.host)
  throw new Error(`a client wants plain HTTP to ${options.host}`)
}
globalThis.fetch = async (url) => {
  refused.push(String(url))
  throw new Error(`a client wants to fetch ${url}`)
}

// A request that no client of Adobe's makes: the answer as it is.
export function ask (method, url, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const req = https.request(url, { method, headers }, (res) => {
      const parts = []
      res.on('data', (part) => parts.push(part))
      res.on('end', () => {
        const text = Buffer.concat(parts).toString()
        let json
        try { json = JSON.parse(text) } catch { json = undefined }
        resolve({ status: res.statusCode, headers: res.headers, text, json })
      })
    })
    req.on('error', reject)
    req.end(body)
  })
}

async function admin (method, path, what) {
  const res = await ask(method, new URL(path, box), what === undefined
    ? {}
    : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(what) })
  if (res.status >= 300) throw new Error(`${method} ${path}: ${res.status} ${res.text}`)
  return res.json
}
export const advance = (by) => admin('POST', '/_admin/advance', { by })
export const happen = (what) => admin('POST', '/_admin/do', what)
export const set = (name, value) => happen({ do: 'set', switch: name, value: String(value) })
export const truth = () => admin('GET', '/_admin/truth')
export const fault = (rule) => admin('POST', '/_admin/faults', rule)

// What the sandbox was asked while `act` ran, as "GET /path" each.
export async function asked (act) {
  await admin('DELETE', '/_admin/requests')
  await act()
  return (await admin('GET', '/_admin/requests')).requests.map((r) => `${r.method} ${r.path}`)
}

export async function mint (clientId, secret, scope) {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: secret, scope })
  const res = await ask('POST', new URL('/ims/token/v3', box), {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: form.toString()
  })
  if (res.status !== 200) throw new Error(`no token for ${clientId}: ${res.status} ${res.text}`)
  return res.json.access_token
}
