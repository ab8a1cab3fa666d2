/* Files on their way to the server and back (SPEC 5.9, 6.7).

   Invariant: whatever was asked has its answer, if only that the line was lost; an address is used once and kept nowhere. */

import { newId } from "./outbox.js";

const AWAY = { t: "refused", code: "unavailable" };

export class Files {
  #asked = new Map();
  #put;

  constructor(put) {
    this.#put = put;
  }

  /* Put a file where `conversation` may name it; promise its `receipt`, or the `code` of why not. */
  async up(conversation, file) {
    const type = file.type.split(";")[0].toLowerCase() || "application/octet-stream";
    const asked = await this.#ask({ t: "upload", conversation, name: file.name, type, size: file.size });
    if (asked.t === "refused") return asked;
    try {
      return await (await fetch(asked.url, { method: "PUT", body: file, credentials: "omit" })).json();
    } catch {
      return AWAY;
    }
  }

  /* Promise the address of a file, good for five minutes; null: it is no more, or cannot be had now. */
  async address(conversation, attachment) {
    return (await this.#ask({ t: "download", conversation, attachment })).url ?? null;
  }

  answered(frame) {
    this.#asked.get(frame.ref)?.(frame);
    this.#asked.delete(frame.ref);
  }

  lost() {
    for (const ref of [...this.#asked.keys()]) this.answered({ ...AWAY, ref });
  }

  #ask(frame) {
    const ref = newId();
    return new Promise((settle) => {
      this.#asked.set(ref, settle);
      if (!this.#put({ ...frame, ref })) this.answered({ ...AWAY, ref });
    });
  }
}
