/* What the visitor does, numbered and said again until it has its outcome (SPEC 5.1–5.3).

   Invariant: of one conversation one frame is under way at a time, so whatever is refused, the order of what the user
   did is kept; a frame keeps its id however often it is sent. */

const KEPT = 32; // acknowledged frames that are offered again when the server lost its newest data

export class Outbox {
  #series = new Map();
  #put;

  constructor(put) {
    this.#put = put;
  }

  /* Promise the outcome of `frame`: its `ack`, or the `refused` that is final. */
  send(conversation, frame, id = newId()) {
    return new Promise((settle) => {
      this.#of(conversation).items.push({ n: 0, id, frame: { ...frame, conversation }, settle });
      this.#next(conversation);
    });
  }

  /* Say what has no outcome again, on a new connection; `again`: what was acknowledged lately, too. */
  connected(again) {
    for (const [conversation, series] of this.#series) {
      clearTimeout(series.waiting);
      series.waiting = 0;
      series.sent = false;
      if (again) series.items.unshift(...series.kept.splice(0));
      this.#next(conversation);
    }
  }

  lost() {
    for (const series of this.#series.values()) series.sent = true; // nothing goes out until `connected`
  }

  /* Take what the server says the next number is; frames under way know better. */
  numbered(conversation, next) {
    const series = this.#of(conversation);
    if (next && !series.items.some((item) => item.n)) series.next = next;
  }

  acked(frame) {
    const series = this.#of(frame.conversation);
    const item = this.#taken(series, frame.id);
    if (!item) return;
    series.kept = [...series.kept, item].slice(-KEPT);
    item.settle(frame);
    this.#next(frame.conversation);
  }

  refused(frame) {
    const series = this.#of(frame.conversation);
    const item = series.items.find((each) => each.id === frame.id);
    if (!item || (frame.expected && frame.n !== item.n)) return;
    if (frame.expected) series.next = frame.expected;
    if (frame.expected && frame.retryable) {
      item.n = 0;
      series.waiting = setTimeout(() => {
        series.sent = false;
        this.#next(frame.conversation);
      }, frame.retry_after_ms ?? 0);
      return;
    }
    this.#taken(series, frame.id);
    if (frame.expected) series.next = frame.expected; // nothing was used up
    item.settle(frame);
    this.#next(frame.conversation);
  }

  #of(conversation) {
    if (!this.#series.has(conversation)) {
      this.#series.set(conversation, { next: 1, items: [], kept: [], sent: false, waiting: 0 });
    }
    return this.#series.get(conversation);
  }

  #taken(series, id) {
    const at = series.items.findIndex((item) => item.id === id);
    if (at < 0) return null;
    series.sent = false;
    return series.items.splice(at, 1)[0];
  }

  #next(conversation) {
    const series = this.#of(conversation);
    const [item] = series.items;
    if (!item || series.sent) return;
    item.n ||= series.next;
    series.next = Math.max(series.next, item.n + 1);
    series.sent = this.#put({ ...item.frame, n: item.n, id: item.id });
  }
}

export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
