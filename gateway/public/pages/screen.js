/* The chat as a phone shows it: launcher, welcome, steps, messages, composer.

   Invariant: it shows what the visitor's client holds and keeps nothing of its own but what is being written; what has
   not changed is not built again, so neither focus nor a screen reader loses its place. */

import { consentCard, contentOf, emailCard, leadOf, storageCard, surveyCard } from "./cards.js";
import { direction, el, icon, redraw, safe } from "./elements.js";

const CLOSED = { agent: "closed_agent", visitor: "closed_visitor", inactivity: "closed_inactivity",
  consent_withdrawn: "closed_consent_withdrawn" };

export class Screen {
  /* `told`: hears what the app would be told: `close_pressed`, `opened`. */
  constructor(root, told) {
    Object.assign(this, { root, told, visitor: null, open: false, prompt: false, large: false, leaving: false, asked: false });
    this.words = (name, fill = {}) => {
      const text = this.visitor?.chatflow?.texts?.[name] ?? name;
      return Object.entries(fill).reduce((said, [key, value]) => said.replaceAll(`{${key}}`, value), text);
    };
    this.launcher = el("button", { type: "button", class: "launcher", onclick: () => this.enter() }, icon("M4 5h16v11h-9l-5 4v-4h-2z"));
    this.bubble = el("div", { class: "bubble" });
    this.head = el("header", { class: "head" });
    this.list = el("div", { class: "list", role: "log", tabindex: "0" });
    this.note = el("p", { class: "note", role: "status" });
    this.step = el("div", { class: "step" });
    this.text = el("textarea", { rows: 1, maxlength: 10000, oninput: () => this.visitor.types(this.text.value !== ""),
      onkeydown: (event) => event.key === "Enter" && !event.shiftKey && !event.isComposing && this.submit(event) });
    this.send = el("button", { type: "submit", class: "main" });
    this.composer = el("form", { class: "composer", onsubmit: (event) => this.submit(event) }, this.text, this.send);
    this.chat = el("section", { class: "chat", role: "region", onkeydown: (event) => event.key === "Escape" && this.leave() },
      this.head, this.list, this.note, this.step, this.composer);
    root.append(this.bubble, this.launcher, this.chat);
  }

  /* Show another visitor from the beginning, on a large or a small screen. */
  begin(visitor, large) {
    Object.assign(this, { visitor, large, open: false, prompt: false, leaving: false, asked: false, shown: null });
    this.list.replaceChildren();
    for (const place of [this.list, this.head, this.bubble, this.step]) delete place.dataset.sign;
    this.text.value = "";
  }

  enter() {
    this.open = true;
    this.leaving = false;
    this.draw();
    this.told("opened");
    (this.text.disabled ? this.step.querySelector("button, input") ?? this.list : this.text).focus();
  }

  leave() {
    const { chatflow, log } = this.visitor;
    const answered = log.some(({ body }) => body.kind === "consent" && body.purpose === "storage");
    this.told("close_pressed");
    if (chatflow?.storage?.ask === "on_exit_intent" && !answered && !this.asked) {
      this.asked = this.leaving = true;
      return this.draw();
    }
    this.open = this.leaving = this.prompt = false;
    this.draw();
    this.launcher.focus();
  }

  submit(event) {
    event.preventDefault();
    const text = this.text.value.trim();
    if (!text || this.text.disabled) return;
    this.text.value = "";
    this.visitor.say(text);
  }

  draw() {
    const { visitor, words } = this;
    const view = visitor.chatflow;
    if (view && this.shown === null) this.shown = view.display?.[this.large ? "large" : "small"] ?? "launcher";
    if (view && this.shown) {
      this.open ||= this.shown === "open";
      this.prompt = this.shown === "welcome_prompt";
      this.shown = "";
    }
    this.root.lang = view?.locale ?? "en";
    this.root.dir = direction(this.root.lang);
    this.root.style.setProperty("--accent", view?.display?.accent ?? "#1f5eff");
    this.root.style.setProperty("--on-accent", view?.display?.on_accent ?? "#ffffff");
    this.chat.hidden = !this.open;
    this.launcher.hidden = this.open || !view;
    this.bubble.hidden = this.open || !this.prompt || !view?.welcome;
    this.launcher.setAttribute("aria-label", view?.heading.name || view?.name || "");
    this.chat.setAttribute("aria-label", view?.heading.name || view?.name || words("connecting"));
    this.list.setAttribute("aria-label", view?.name ?? "");
    redraw(this.bubble, [this.bubble.hidden, view?.welcome], () => !this.bubble.hidden
      && el("button", { type: "button", onclick: () => this.enter() }, view.welcome));
    redraw(this.head, [view?.heading, view?.close_button, view?.texts?.close, visitor.availability?.open], () => this.heading(view));
    this.messages(view);
    this.status(view);
    this.steps(view);
    visitor.looks(this.open);
  }

  heading(view) {
    if (!view) return [];
    const { name, image, people = [] } = view.heading;
    const faces = image ? [[image, ""]] : people.map((each) => [each.picture, each.name]);
    const pictures = faces.map(([address, alt]) => {
      const src = address && safe(address, ["https:"]);
      return src ? el("img", { src, alt, class: "face" }) : el("span", { class: "face", "aria-hidden": "true" }, (alt || name || "?").slice(0, 1));
    });
    const title = name || people.map((each) => each.name).join(", ") || view.name;
    const open = this.visitor.availability?.open;
    return [...pictures, el("div", { class: "who" }, el("h2", {}, title),
      open !== undefined && el("p", {}, this.words(open ? "available" : "unavailable"))),
    (view.close_button ?? true) && el("button", { type: "button", class: "close", "aria-label": this.words("close"), onclick: () => this.leave() }, "✕")];
  }

  messages(view) {
    const { visitor } = this;
    const { log } = visitor;
    const items = [];
    if (view?.welcome && !log.length) items.push(["welcome", [view.welcome], () => said("theirs", view.welcome)]);
    for (const event of log) {
      const { body } = event;
      if (body.kind === "message") {
        const open = this.takes(event);
        const sign = [body.text, body.redacted, open, body.by.name, view?.locale];
        items.push([event.seq, sign, () => this.message(event, open)]);
      } else {
        const text = this.line(body);
        const theirs = body.kind === "started";
        if (text) items.push([event.seq, [text], () => (theirs ? said("theirs", text) : el("p", { class: "line" }, text))]);
      }
    }
    const waiting = visitor.unsent.filter((each) => !each.heard);
    for (const each of waiting) {
      items.push([each.id, [each.text, each.code, view?.locale], () => this.unsent(each)]);
    }
    const mine = log.findLast(({ body }) => body.kind === "message" && body.by.role === "visitor");
    if (mine && !waiting.length && mine === log.findLast(({ body }) => body.kind === "message")) {
      const { read, delivered } = visitor.horizons;
      const state = read >= mine.seq ? "read" : delivered >= mine.seq ? "delivered" : "sent";
      items.push(["state", [state, view?.locale], () => el("p", { class: "state" }, this.words(state))]);
    }
    this.keep(items);
  }

  /* Have the list hold exactly `items`, each [key, what it depends on, how to build it]. */
  keep(items) {
    const before = new Map([...this.list.children].map((child) => [child.dataset.key, child]));
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 80;
    const wanted = items.map(([key, sign, build]) => {
      const place = before.get(String(key)) ?? el("div", { "data-key": key });
      redraw(place, sign, build);
      return place;
    });
    for (const child of [...this.list.children]) if (!wanted.includes(child)) child.remove();
    wanted.forEach((place, at) => this.list.children[at] === place || this.list.insertBefore(place, this.list.children[at] ?? null));
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  message({ seq, body }, open) {
    const mine = body.by.role === "visitor";
    if (body.redacted) return el("p", { class: "line" }, this.words("redacted"));
    const shown = contentOf(body.content, this.words, { seq, open }, (text, content) => this.visitor.say(text, content));
    const text = shown ? leadOf(body.text, body.content) : body.text;
    return el("div", { class: mine ? "mine" : "theirs" },
      !mine && body.by.name && el("span", { class: "by" }, body.by.name),
      mine && el("span", { class: "unseen" }, `${this.words("you")}: `),
      text && el("p", { dir: "auto" }, text), shown);
  }

  unsent(each) {
    const why = each.code && (this.visitor.chatflow?.texts?.[`error_${each.code}`] ?? this.words("not_sent"));
    return el("div", { class: "mine waiting" }, el("span", { class: "unseen" }, `${this.words("you")}: `), el("p", {}, each.text),
      el("span", { class: "state" }, each.code ? why : this.words("sending")),
      each.code && el("button", { type: "button", class: "plain", onclick: () => this.visitor.again(each) }, this.words("retry")));
  }

  /* Whether a message still takes the choice or the form that it asks for. */
  takes({ seq, body }) {
    const after = this.visitor.log.filter((event) => event.seq > seq && event.body.kind === "message");
    if (body.content?.kind === "form") return !after.some((event) => event.body.content?.of === seq);
    return !after.length && !this.visitor.unsent.length;
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
      case "survey_answered":
        return "";
      default:
        return "";
    }
  }

  status(view) {
    const { visitor, words } = this;
    const { place, availability } = visitor;
    const going = ["assigned", "closed", "queued"];
    const last = visitor.log.findLast(({ body }) => going.includes(body.kind))?.body.kind;
    const lines = [];
    if (visitor.status === "lost") lines.push(words("offline"));
    else if (!view) lines.push(visitor.status === "ready" ? words("error_no_chatflow") : "");
    else if (visitor.typing !== null) lines.push(words("typing", { agent: visitor.typing }));
    else if (last === "queued" && place) {
      lines.push(place.place === 1 ? words("queue_next") : words(place.exact ?? true ? "queue_place" : "queue_about", { place: place.place }));
      if (place.wait_s) lines.push(place.wait_s < 60 ? words("wait_soon") : words("wait_minutes", { minutes: Math.ceil(place.wait_s / 60) }));
    } else if (last === "queued" && availability?.open) lines.push(words("waiting"));
    else if (last === "closed") lines.push(words("write_to_reopen"));
    else if (last !== "assigned" && availability?.text) lines.push(availability.text);
    const text = lines.join(" ");
    if (this.note.textContent !== text) this.note.textContent = text;
    this.note.hidden = !text;
  }

  steps(view) {
    const { visitor, words } = this;
    const [step] = visitor.steps.outstanding;
    const bodies = visitor.log.map(({ body }) => body);
    const asked = bodies.findLast((body) => ["email_asked", "email_given", "email_given_up"].includes(body.kind));
    const survey = bodies.findLast((body) => body.kind === "survey_asked");
    const outcome = survey && outcomeOf(survey, bodies);
    const which = this.leaving ? "leaving" : step ?? (outcome && !outcome.over ? "survey" : asked?.kind === "email_asked" ? "asked" : "");
    const sign = [which, view?.etag, view?.locale, which === "asked" && asked.text, which === "survey" && [survey.ask, outcome]];
    const held = this.step.contains(document.activeElement);
    redraw(this.step, sign, () => this.card(view, which, asked, survey, outcome));
    if (held && !this.step.contains(document.activeElement)) this.step.querySelector("input, button")?.focus();
    const blocked = !view || Boolean(step) || visitor.steps.blocked || (availability(visitor) === false && !visitor.log.length);
    this.text.disabled = this.send.disabled = blocked;
    this.composer.hidden = !view || visitor.steps.blocked;
    this.text.placeholder = words(step === "email" ? "placeholder_email" : step ? "placeholder_consent" : "placeholder");
    this.text.setAttribute("aria-label", words("placeholder"));
    if (this.send.textContent !== words("send")) this.send.textContent = words("send");
  }

  card(view, which, asked, survey, outcome) {
    const { visitor, words } = this;
    const answer = async (...given) => {
      const code = await visitor.answer(...given);
      if (!code) this.text.focus();
      return code;
    };
    switch (which) {
      case "leaving":
        return storageCard(view, words, async (...given) => {
          await visitor.answer(...given);
          this.open = this.leaving = false;
          this.draw();
          this.launcher.focus();
        });
      case "storage_consent":
        return storageCard(view, words, answer);
      case "consent_to_process":
        return consentCard(view, words, answer);
      case "email":
        return emailCard(view.email?.text ?? "", words, answer);
      case "asked":
        return emailCard(asked.text, words, answer);
      case "survey":
        if (!outcome.seen) visitor.survey(survey.ask, "seen");
        return surveyCard(survey, words, outcome, (action, more) => visitor.survey(survey.ask, action, more));
      default:
        return view?.consent?.mode === "legitimate_interest" && !visitor.log.some(({ body }) => body.kind === "message")
          ? el("p", { class: "small" }, view.consent.text) : [];
    }
  }
}

function said(whose, text) {
  return el("div", { class: whose }, el("p", { dir: "auto" }, text));
}

function availability({ availability: told }) {
  return told?.may_start ?? true;
}

function outcomeOf(survey, bodies) {
  const about = bodies.filter((body) => body.ask === survey.ask);
  const answered = about.find((body) => body.kind === "survey_answered");
  const commented = about.some((body) => body.kind === "survey_commented");
  const seen = about.some((body) => body.kind === "survey_seen");
  const dismissed = about.some((body) => body.kind === "survey_seen" && body.dismissed);
  const over = bodies.slice(bodies.indexOf(survey)).some((body) => body.kind === "message");
  return { seen, answered: Boolean(answered), score: answered?.score, commented, over: over || (dismissed && !answered) };
}
