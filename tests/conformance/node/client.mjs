// A client written from SPEC alone: one socket, either subprotocol, frames in order of arrival.
//
// Invariant: nothing here knows the server but by its address; what SPEC does not promise is not relied on.

import { randomUUID } from 'node:crypto'
import { decode, encode } from '@msgpack/msgpack'
import WebSocket from 'ws'

const PATIENCE_MS = 10_000

export const newId = () => randomUUID()

export class Client {
  #heard = []
  #waiting = null
  #positions = new Map()

  constructor(url, path, subprotocol) {
    this.isJson = subprotocol.endsWith('json')
    this.socket = new WebSocket(url.replace(/^http/, 'ws') + path, subprotocol, { perMessageDeflate: false })
    this.socket.on('message', (data, isBinary) => this.#take(isBinary ? decode(data) : JSON.parse(data.toString())))
    this.closed = new Promise((resolve) => this.socket.on('close', resolve))
    this.opened = new Promise((resolve, reject) => this.socket.on('open', resolve).on('error', reject))
  }

  say(frame) {
    this.socket.send(this.isJson ? JSON.stringify(frame) : encode(frame))
  }

  // The next frame that `fits`; frames that do not are passed over, but events are checked for gaps on arrival.
  async hear(what, fits) {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const at = this.#heard.findIndex(fits)
      if (at >= 0) return this.#heard.splice(at, 1)[0]
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`no ${what}; heard ${JSON.stringify(this.#heard)}`)
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#waiting = () => (clearTimeout(timer), resolve())
      })
    }
  }

  position(conversation) {
    return { conversation, ...(this.#positions.get(conversation) ?? { seq: 0, id: '' }) }
  }

  startAt({ conversation, seq, id }) {
    this.#positions.set(conversation, { seq, id })
  }

  async cut() {
    this.socket.terminate()
    await this.closed
  }

  #take(frame) {
    if (frame.t === 'event' || frame.t === 'hidden') this.#follow(frame)
    this.#heard.push(frame)
    this.#waiting?.()
  }

  // SPEC 6.1: events come with no gap; SPEC 7.4: `hidden` stands for several.
  #follow(frame) {
    const { seq } = this.position(frame.conversation)
    const [first, last] = frame.t === 'event' ? [frame.seq, frame.seq] : [frame.from, frame.to]
    if (first !== seq + 1) throw new Error(`${frame.conversation}: ${first} follows ${seq}`)
    this.#positions.set(frame.conversation, { seq: last, id: frame.id })
  }
}
