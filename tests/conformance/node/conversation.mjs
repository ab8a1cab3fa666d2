// A support conversation between a visitor and an agent, over `node conversation.mjs URL SUBPROTOCOL APP_KEY`.
//
// Invariant: prints one line per fact that held and ends with `done`; the first that does not ends it with status 1.

import assert from 'node:assert/strict'
import { Client, newId } from './client.mjs'

const [url, subprotocol, appKey] = process.argv.slice(2)
const deviceKey = newId()
const held = (fact) => console.log(`ok: ${fact}`)

const isOutcome = (id) => (frame) => ['ack', 'refused'].includes(frame.t) && frame.id === id
const isMessage = (text) => (frame) => frame.t === 'event' && frame.body.kind === 'message' && frame.body.text === text
const isKind = (kind) => (frame) => frame.t === 'event' && frame.body.kind === kind

async function ask(client, frame) {
  client.say(frame)
  return client.hear(`outcome of ${frame.t}`, isOutcome(frame.id))
}

async function visit(credential, positions) {
  const visitor = new Client(url, '/v1/mobile', subprotocol)
  await visitor.opened
  positions.forEach((position) => visitor.startAt(position))
  const device = { platform: 'other', app_version: '1', locale: 'en' }
  visitor.say({
    t: 'hello', v: 1, app_key: appKey, tag: 'support', device, positions,
    credential: { kind: 'anonymous', device_key: deviceKey, ...credential },
  })
  return [visitor, await visitor.hear('ready', (frame) => frame.t === 'ready')]
}

async function attend(email, password) {
  const answer = await fetch(`${url}/v1/agent/login`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password }),
  })
  assert.equal(answer.status, 200)
  const { ticket, socket } = await answer.json()
  const address = new URL(socket, url)
  const agent = new Client(address.origin.replace(/^ws/, 'http'), address.pathname, subprotocol)
  await agent.opened
  agent.say({ t: 'hello', v: 1, ticket, device_key: newId() })
  return [agent, await agent.hear('ready', (frame) => frame.t === 'ready')]
}

let [visitor, ready] = await visit({}, [])
const conversation = ready.conversation
assert.deepEqual(ready.steps.outstanding, ['consent_to_process'])
assert.equal(ready.chatflow.consent.mode, 'explicit')
held('a visitor is ready, and is asked for consent')

const early = await ask(visitor, { t: 'send', n: 1, id: newId(), conversation, text: 'too early' })
assert.equal(early.code, 'consent_required')
assert.equal(early.expected, 1)
held('nothing is accepted before it')

const consent = { t: 'answer', n: 1, id: newId(), conversation, step: 'consent_to_process', value: 'granted' }
assert.equal((await ask(visitor, consent)).t, 'ack')
const first = { t: 'send', n: 2, id: newId(), conversation, text: 'Hei på deg 👋' }
const ack = await ask(visitor, first)
await visitor.hear('own message', isMessage(first.text))
assert.deepEqual(await ask(visitor, first), ack)
held('a message is stored, and once, however often it is sent')

const [agent, desk] = await attend('kari@nordvik.example', 'kari-kari')
let n = desk.next_n
assert.equal((await ask(agent, { t: 'claim', n: n++, id: newId(), conversation })).t, 'ack')
agent.say({ t: 'resume', position: agent.position(conversation) })
await agent.hear('the message', isMessage(first.text))
await visitor.hear('assigned', isKind('assigned'))
held('an agent claims the conversation and reads it from the beginning')

const position = visitor.position(conversation)
await visitor.cut()
const reply = { t: 'send', n: n++, id: newId(), conversation, text: 'Hello, this is Kari' }
assert.equal((await ask(agent, reply)).t, 'ack')
;[visitor, ready] = await visit({ visitor: ready.visitor, secrets: [ready.secret] }, [position])
await visitor.hear('the reply', isMessage(reply.text))
const caughtUp = await visitor.hear('caught_up', (frame) => frame.t === 'caught_up')
assert.equal(caughtUp.next_n, 3)
held('what was said while the line was cut arrives, and nothing else')

visitor.say({ t: 'receipt', conversation, delivered: caughtUp.seq, read: caughtUp.seq })
await agent.hear('receipts', (frame) => frame.t === 'receipts' && frame.read === caughtUp.seq)
visitor.say({ t: 'typing', conversation, on: true })
await agent.hear('typing', (frame) => frame.t === 'typing' && frame.who === 'visitor')
held('receipts and typing pass')

const options = [{ id: 'blue', label: 'The blue one' }, { id: 'red', label: 'The red one' }]
const content = { kind: 'quick_replies', options }
const question = { t: 'send', n: n++, id: newId(), conversation, text: 'Which card?', content }
const { seq: of } = await ask(agent, question)
const asked = await visitor.hear('the question', (frame) => frame.t === 'event' && frame.seq === of)
assert.deepEqual(asked.body.content.options, options)
const choice = { kind: 'choice', of, option: 'blue' }
const chosen = { t: 'send', n: 3, id: newId(), conversation, text: 'The blue one', content: choice }
assert.equal((await ask(visitor, chosen)).t, 'ack')
assert.equal((await ask(visitor, { ...chosen, n: 4, id: newId() })).code, 'bad_content')
held('a quick reply is chosen, once')

const note = { t: 'note', n: n++, id: newId(), conversation, text: 'Knows her card' }
const { seq: noted } = await ask(agent, note)
await visitor.hear('hidden', (frame) => frame.t === 'hidden' && frame.from <= noted && noted <= frame.to)
held('a note is an entry that the visitor does not see')

assert.equal((await ask(agent, { t: 'close', n: n++, id: newId(), conversation })).t, 'ack')
const closed = await visitor.hear('closed', isKind('closed'))
assert.equal(closed.body.reason, 'agent')
held('the agent closes it, and the visitor sees it')

agent.socket.close()
visitor.socket.close()
await Promise.all([agent.closed, visitor.closed])
console.log('done')
