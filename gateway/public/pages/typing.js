/* Who is typing just now, on both sides (SPEC 9.2).

   Invariant: nothing of it is kept; whoever was last heard to type is forgotten after 6 s. */

const EVERY_MS = 3000;
const LASTS_MS = 6000;

export class Typing {
  name = null; // of whoever types on the other side; "" if that is not told
  #said = 0;
  #timer = 0;

  /* The user types, or has stopped: `tell` it, at most every 3 s. */
  types(on, tell) {
    const now = Date.now();
    if (on && now - this.#said < EVERY_MS) return;
    if (on || this.#said) tell(on);
    this.#said = on ? now : 0;
  }

  /* What was being typed was said. */
  said() {
    this.#said = 0;
  }

  heard({ on, name }, changed) {
    clearTimeout(this.#timer);
    this.name = on ? name : null;
    if (on) this.#timer = setTimeout(() => this.heard({ on: false }, changed), LASTS_MS);
    changed();
  }

  stop() {
    clearTimeout(this.#timer);
    this.name = null;
  }
}
