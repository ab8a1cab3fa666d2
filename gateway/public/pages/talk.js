/* What was said, as the phone lists it: messages, what happened between them, and what is still on its way.

   Invariant: what has not changed is not built again, so a screen reader tells what is new and nothing else. */

import { contentOf, leadOf } from "./cards.js";
import { el, faceOf, redraw } from "./elements.js";

const CLOSED = { agent: "closed_agent", visitor: "closed_visitor", inactivity: "closed_inactivity",
  consent_withdrawn: "closed_consent_withdrawn" };

export class Talk {
  constructor(words) {
    this.words = words;
    this.list = el("div", { class: "list", role: "log", tabindex: "0", onscroll: () => (this.follows = this.isAtEnd()) });
    this.follows = true; // whether what is new is scrolled to
  }

  /* Forget what was shown of another visitor. */
  begin() {
    this.list.replaceChildren();
    this.follows = true;
  }

  draw(visitor, view) {
    const { log } = visitor;
    const items = [];
    if (view?.welcome && !log.length) items.push(["welcome", [view.welcome], () => this.welcome(view.welcome, view)]);
    let by = "";
    for (const event of log) {
      const { body } = event;
      if (body.kind === "message") {
        const open = takes(event, visitor);
        const first = by !== `${body.by.role} ${body.by.name}`;
        by = `${body.by.role} ${body.by.name}`;
        const sign = [body.text, body.redacted, open, body.by.name, first, view?.locale];
        items.push([event.seq, sign, () => this.message(event, { open, first, visitor, view })]);
      } else {
        const text = this.line(body);
        const theirs = body.kind === "started";
        if (text) items.push([event.seq, [text], () => (theirs ? this.welcome(text, view) : el("p", { class: "line" }, text))]);
        if (text) by = "";
      }
    }
    const waiting = visitor.unsent.filter((each) => !each.heard);
    for (const each of waiting) {
      items.push([each.id, [each.text, each.code, view?.locale], () => this.unsent(each, visitor)]);
    }
    const last = log.findLast(({ body }) => body.kind === "message");
    if (last?.body.by.role === "visitor" && !waiting.length) {
      const { read, delivered } = visitor.horizons;
      const state = read >= last.seq ? "read" : delivered >= last.seq ? "delivered" : "sent";
      items.push(["state", [state, view?.locale], () => el("p", { class: "state" }, this.words(state))]);
    }
    this.keep(items);
  }

  /* Have the list hold exactly `items`, each [key, what it depends on, how to build it]. */
  keep(items) {
    const { list } = this;
    const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
    const wanted = items.map(([key, sign, build]) => {
      const place = before.get(String(key)) ?? el("div", { "data-key": key });
      redraw(place, sign, build);
      return place;
    });
    for (const child of [...list.children]) if (!wanted.includes(child)) child.remove();
    wanted.forEach((place, at) => list.children[at] === place || list.insertBefore(place, list.children[at] ?? null));
  }

  isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.list;
    return scrollHeight - scrollTop - clientHeight < 80;
  }

  /* Show the newest, unless the user has scrolled away from it; called whenever the list or its room changed. */
  follow() {
    if (this.follows) this.list.scrollTop = this.list.scrollHeight;
  }

  welcome(text, view) {
    return this.theirs(view?.heading.name ?? "", view, true, el("p", { dir: "auto" }, text));
  }

  theirs(name, view, first, ...said) {
    const { image, people = [] } = view?.heading ?? {};
    const picture = image || people.find((each) => each.name === name)?.picture;
    return el("div", { class: first ? "theirs" : "theirs on" }, faceOf(name, picture), el("div", {}, ...said));
  }

  message(event, { open, first, visitor, view }) {
    const { seq, body } = event;
    if (body.redacted) return el("p", { class: "line" }, this.words("redacted"));
    const where = { seq, open, files: (file) => visitor.address(event.conversation, file.id), loaded: () => this.follow() };
    const shown = contentOf(body.content, this.words, where, (text, content) => visitor.say(text, content));
    const text = shown ? leadOf(body.text, body.content) : body.text;
    const said = [text && el("p", { dir: "auto" }, text), shown];
    if (body.by.role !== "visitor") {
      return this.theirs(body.by.name, view, first, body.by.name && el("span", { class: first ? "by" : "unseen" }, body.by.name), ...said);
    }
    return el("div", { class: "mine" }, el("span", { class: "unseen" }, `${this.words("you")}: `), ...said);
  }

  unsent(each, visitor) {
    const why = each.code && (visitor.chatflow?.texts?.[`error_${each.code}`] ?? this.words("not_sent"));
    return el("div", { class: "mine waiting" }, el("span", { class: "unseen" }, `${this.words("you")}: `), el("p", { dir: "auto" }, each.text),
      el("span", { class: "state" }, each.code ? why : this.words("sending")),
      each.code && el("button", { type: "button", class: "plain", onclick: () => visitor.again(each) }, this.words("retry")));
  }

  /* Return the line that tells of an event, "" if none does. */
  line(body) {
    const { words } = this;
    switch (body.kind) {
      case "started":
        return body.welcome ?? "";
      case "assigned":
        return words("assigned", { agent: body.agent.name });
      case "unassigned":
        return words("handed_on");
      case "closed":
        return words(CLOSED[body.reason] ?? "closed", { agent: body.by?.name ?? "" });
      case "reopened":
        return words("reopened");
      case "email_given":
        return words("email_given", { email: body.email });
      default:
        return "";
    }
  }
}

/* Whether a message still takes the choice or the form that it asks for. */
function takes({ seq, body }, { log, unsent }) {
  const after = log.filter((event) => event.seq > seq && event.body.kind === "message");
  if (body.content?.kind === "form") return !after.some((event) => event.body.content?.of === seq);
  return body.content?.kind === "quick_replies" && !after.length && !unsent.length;
}
