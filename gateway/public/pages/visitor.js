/* A visitor's client of the socket in a browser (protocol/SPEC.md), without a screen.

   Invariant: what it holds of a conversation has no gap and no repeat; it keeps secrets in memory only. */

import { Files } from "./files.js";
import { Outbox, newId } from "./outbox.js";
import { Typing } from "./typing.js";

const RECEIPT_EVERY_MS = 1000;
const SETTLES = { storage_consent: ["granted", "declined"], consent_to_process: ["granted"] };

export class Visitor {
  status = "connecting"; // ready, lost, refused (it does not come back)
  refusal = "";
  chatflow = null;
  steps = { outstanding: [], blocked: false };
  availability = null;
  reason = "";
  conversation = null; // the id of the one to address
  log = []; // its events, in order; what is hidden leaves no trace
  unsent = []; // what the user said that was not taken yet, or refused: {id, text, content, code, heard}
  typing = new Typing();
  place = null;
  horizons = { delivered: 0, read: 0 };

  #line = null;
  #failures = 0;
  #credential = { kind: "anonymous", device_key: newId() };
  #epoch = 0;
  #seq = 0;
  #event = "";
  #outbox = new Outbox((frame) => this.#put(frame));
  #timers = {};
  #heard = 0;
  #seen = false;
  #over = false;

  #files = new Files((frame) => this.#put(frame));

  /* `url`: of the socket. `hello`: what to say beside credential, positions and view. `changed`: called after anything. */
  constructor(url, hello, changed) {
    Object.assign(this, { url, hello, changed });
    this.#connect();
  }

  /* End it for good. */
  stop() {
    this.#over = true;
    this.typing.stop();
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#line?.close();
  }

  /* Say something, or send a file, `text` being its name; what is refused stays in `unsent` with its code. */
  async say(text, content = undefined, file = undefined) {
    const saying = { id: newId(), text, content, file, code: "", heard: false };
    this.unsent.push(saying);
    this.typing.said();
    this.#changed();
    const outcome = await this.#said(saying);
    if (outcome.t === "ack") this.unsent.splice(this.unsent.indexOf(saying), 1);
    else saying.code = outcome.code;
    this.#changed();
    return outcome;
  }

  /* Say again, as something new, what was refused. */
  again(saying) {
    this.unsent.splice(this.unsent.indexOf(saying), 1);
    return this.say(saying.text, saying.content, saying.file);
  }

  /* Promise where a file of a message can be had for five minutes, or null. */
  address(conversation, attachment) {
    return this.#files.address(conversation, attachment);
  }

  /* Answer a step; returns the code of a refusal, "" if it was taken. */
  async answer(step, value, communicate = undefined) {
    const outcome = await this.#outbox.send(this.conversation, { t: "answer", step, value, communicate });
    if (outcome.t === "ack" && (SETTLES[step]?.includes(value) ?? step === "email")) this.#settled(step);
    if (outcome.code === "not_outstanding") this.#settled(step);
    this.#changed();
    return outcome.t === "refused" ? outcome.code : "";
  }

  async survey(ask, action, more = {}) {
    const outcome = await this.#outbox.send(this.conversation, { t: "survey", ask, action, ...more });
    return outcome.t === "refused" ? outcome.code : "";
  }

  close() {
    return this.#outbox.send(this.conversation, { t: "close" });
  }

  /* The user types, or has stopped. */
  types(on) {
    if (this.steps.outstanding.length || !this.log.length) return;
    this.typing.types(on, (now) => this.#put({ t: "typing", conversation: this.conversation, on: now }));
  }

  /* Whether the user sees the conversation: then what arrives counts as read. */
  looks(seen) {
    if (seen && !this.#seen) this.#receipt();
    this.#seen = seen;
  }

  async #said({ id, text, content, file }) {
    const kept = file && (await this.#files.up(this.conversation, file));
    if (kept && !kept.receipt) return kept;
    const frame = kept ? { t: "send", attachments: [kept.receipt] } : { t: "send", text, content };
    const outcome = await this.#outbox.send(this.conversation, frame, id);
    if (outcome.code !== "continued") return outcome;
    this.#address(outcome.instead);
    return this.#outbox.send(outcome.instead, frame, id);
  }

  #connect() {
    const line = (this.#line = new WebSocket(this.url, "samtale.v1.json"));
    let retryMs = 0;
    line.onopen = () => line.send(JSON.stringify(this.#greeting()));
    line.onmessage = ({ data }) => {
      this.#heard = Date.now();
      const frame = JSON.parse(data);
      if (frame.t === "refused") retryMs = frame.retry_after_ms ?? 0;
      this.#take(frame);
    };
    line.onclose = ({ code }) => this.#lost(code, retryMs);
  }

  #greeting() {
    const positions = this.#seq ? [{ conversation: this.conversation, seq: this.#seq, id: this.#event }] : [];
    const view = this.chatflow?.etag ?? "";
    return { t: "hello", v: 1, ...this.hello, credential: this.#credential, positions, view };
  }

  #lost(code, retryMs) {
    clearInterval(this.#timers.pulse);
    this.#outbox.lost();
    this.#files.lost();
    if (this.#over) return;
    if (code >= 4500 && code < 5000) {
      this.status = "refused";
      return this.#changed();
    }
    if (this.status === "ready") this.status = "lost";
    const least = Math.max(retryMs, code === 4003 ? 5000 : code === 4429 ? 10000 : 0);
    const wait = least + Math.random() * Math.min(30000, 500 * 2 ** this.#failures);
    this.#failures += 1;
    this.#timers.connect = setTimeout(() => this.#connect(), wait);
    this.#changed();
  }

  #put(frame) {
    if (this.status !== "ready" || this.#line.readyState !== WebSocket.OPEN) return false;
    this.#line.send(JSON.stringify(frame));
    return true;
  }

  #take(frame) {
    const take = {
      ready: () => this.#ready(frame),
      chatflow: () => this.#serve(frame),
      event: () => this.#read(frame),
      hidden: () => this.#advance(frame.conversation, frame.from, frame.to, frame.id),
      caught_up: () => this.#outbox.numbered(frame.conversation, frame.next_n),
      resync: () => this.#resync(frame),
      ack: () => this.#outbox.acked(frame),
      refused: () => this.#refused(frame),
      typing: () => frame.who === "agent" && frame.conversation === this.conversation && this.typing.heard(frame, () => this.#changed()),
      receipts: () => this.#receipts(frame),
      place: () => (this.place = frame),
      upload: () => this.#files.answered(frame),
      download: () => this.#files.answered(frame),
    }[frame.t];
    take?.();
    if (take && frame.t !== "ready") this.#changed();
  }

  #ready(frame) {
    this.status = "ready";
    this.#failures = 0;
    const secrets = [frame.secret, ...(this.#credential.secrets ?? [])].filter(Boolean).slice(0, 2);
    this.#credential = { ...this.#credential, visitor: frame.visitor, secrets };
    const risen = this.#epoch > 0 && frame.epoch > this.#epoch;
    this.#epoch = frame.epoch;
    for (const each of frame.conversations) this.#outbox.numbered(each.id, each.next_n);
    this.#serve(frame);
    this.#outbox.connected(risen);
    this.#timers.pulse = setInterval(() => this.#pulse(frame.heartbeat_s), frame.heartbeat_s * 1000);
    this.#changed();
  }

  #pulse(heartbeatS) {
    if (Date.now() - this.#heard > 2500 * heartbeatS) this.#line.close();
    else this.#put({ t: "ping", ref: newId() });
  }

  #serve(frame) {
    const view = frame.chatflow ?? null;
    this.chatflow = view && view.etag === this.chatflow?.etag ? { ...this.chatflow, ...view } : view;
    this.steps = { outstanding: [], blocked: false, ...frame.steps };
    this.availability = frame.availability ?? null;
    this.reason = frame.reason ?? "";
    const goesOn = this.log.length && this.log.at(-1).body.kind !== "erased";
    if (frame.conversation && (!this.conversation || (frame.t === "ready" && !goesOn))) this.#address(frame.conversation);
  }

  #address(conversation) {
    if (conversation === this.conversation) return;
    Object.assign(this, { conversation, log: [], place: null, horizons: { delivered: 0, read: 0 } });
    this.#seq = 0;
    this.#event = "";
    this.#put({ t: "resume", position: { conversation, seq: 0, id: "" } });
  }

  #read(event) {
    if (!this.#advance(event.conversation, event.seq, event.seq, event.id)) return;
    this.log.push(event);
    const { body } = event;
    if (body.kind === "redacted") this.#empty((each) => each.seq === body.of);
    if (body.kind === "erased") this.#empty(() => true);
    if (body.kind === "message") this.#arrived(body);
    if (body.kind === "assigned" || body.kind === "closed") this.place = null;
    this.#timers.receipt ??= setTimeout(() => this.#receipt(), RECEIPT_EVERY_MS);
  }

  /* Take what was said: if it is what the user says just now, it was heard, though its outcome is still on its way. */
  #arrived(body) {
    if (body.by.role !== "visitor") this.typing.stop();
    const own = body.by.role === "visitor" && this.unsent.find((each) => !each.heard && !each.code && (each.file ? body.content?.kind === "files" : each.text.normalize() === body.text));
    if (own) own.heard = true;
  }

  #empty(which) {
    for (const each of this.log) {
      if (which(each)) each.body = { ...each.body, text: "", content: null, welcome: null, redacted: true };
    }
  }

  /* Move on by what has arrived; false if it is known already, or something before it is missing. */
  #advance(conversation, from, to, id) {
    if (conversation !== this.conversation || to <= this.#seq) return false;
    if (from > this.#seq + 1) {
      this.#put({ t: "resume", position: { conversation, seq: this.#seq, id: this.#event } });
      return false;
    }
    this.#seq = to;
    this.#event = id;
    return true;
  }

  #resync(frame) {
    if (frame.conversation !== this.conversation) return;
    const from = frame.from ?? 1;
    this.log = this.log.filter((event) => event.seq < from);
    if (this.#seq >= from) {
      this.#seq = from - 1;
      this.#event = this.log.find((event) => event.seq === this.#seq)?.id ?? "";
    }
  }

  #refused(frame) {
    if (frame.ref) this.#files.answered(frame);
    else if (frame.n || frame.id) this.#outbox.refused(frame);
    else this.refusal = frame.code;
  }

  #settled(step) {
    this.steps = { ...this.steps, outstanding: this.steps.outstanding.filter((each) => each !== step) };
  }

  #receipts({ conversation, who, delivered, read }) {
    if (conversation !== this.conversation || who !== "staff") return;
    const { horizons } = this;
    this.horizons = { delivered: Math.max(horizons.delivered, delivered), read: Math.max(horizons.read, read ?? 0) };
  }

  #receipt() {
    clearTimeout(this.#timers.receipt);
    this.#timers.receipt = undefined;
    if (!this.#seq) return;
    const read = this.#seen ? this.#seq : 0;
    this.#put({ t: "receipt", conversation: this.conversation, delivered: this.#seq, read });
  }

  #changed() {
    this.changed(this);
  }
}
