/* The chat as a phone shows it: launcher, welcome, heading, tabs, steps, composer.

   Invariant: it shows what the visitor's client holds and keeps nothing of its own but what is being written; what has
   not changed is not built again, so neither focus nor a screen reader loses its place. */

import { consentCard, emailCard, endCard, storageCard, surveyCard } from "./cards.js";
import { direction, el, faceOf, icon, redraw } from "./elements.js";
import { helpOf, tabsOf } from "./help.js";
import { Talk } from "./talk.js";

const BEGUN = { open: false, prompt: false, leaving: false, ending: false, asked: false, shown: null, tab: "chat", later: 0 };

export class Screen {
  /* `told`: hears what the app would be told: `close_pressed`, `opened`. */
  constructor(root, told) {
    Object.assign(this, { root, told, visitor: null, large: false, ...BEGUN });
    this.words = (name, fill = {}) => {
      const text = this.visitor?.chatflow?.texts?.[name] ?? name;
      return Object.entries(fill).reduce((said, [key, value]) => said.replaceAll(`{${key}}`, value), text);
    };
    this.launcher = el("button", { type: "button", class: "launcher", onclick: () => this.enter() }, icon("M4 5h16v11h-9l-5 4v-4h-2z"));
    this.bubble = el("div", { class: "bubble" });
    this.head = el("header", { class: "head" });
    this.talk = new Talk(this.words);
    this.help = el("div", { class: "help" });
    this.note = el("p", { class: "note", role: "status" });
    this.step = el("div", { class: "step" });
    this.tabs = el("nav", { class: "tabs" });
    this.composer = this.writing();
    this.chat = el("section", { class: "chat", role: "region", onkeydown: (event) => event.key === "Escape" && this.leave() },
      this.head, this.talk.list, this.help, this.note, this.step, this.composer, this.tabs);
    root.append(this.bubble, this.launcher, this.chat);
  }

  writing() {
    this.text = el("textarea", { rows: 1, maxlength: 10000, oninput: () => this.visitor.types(this.text.value !== ""),
      onkeydown: (event) => event.key === "Enter" && !event.shiftKey && !event.isComposing && this.submit(event) });
    this.file = el("input", { type: "file", hidden: true, multiple: true, onchange: () => this.attach() });
    this.clip = el("button", { type: "button", class: "round", onclick: () => this.file.click() },
      icon("M20 11l-8 8a5 5 0 0 1-7-7l8.500-8.500a3.300 3.300 0 0 1 4.700 4.700l-8.500 8.500a1.700 1.700 0 0 1-2.400-2.400l7.500-7.500"));
    this.send = el("button", { type: "submit", class: "main round" }, icon("M4 12L20 4l-5 16l-3.500-6.500zL11.500 13.500"));
    return el("form", { class: "composer", onsubmit: (event) => this.submit(event) }, this.clip, this.file, this.text, this.send);
  }

  /* Show another visitor from the beginning, on a large or a small screen. */
  begin(visitor, large) {
    Object.assign(this, { visitor, large, ...BEGUN });
    this.talk.begin();
    for (const place of [this.head, this.bubble, this.step, this.tabs, this.help]) delete place.dataset.sign;
    this.text.value = "";
  }

  enter() {
    this.open = true;
    this.leaving = false;
    this.draw();
    this.told("opened");
    (this.text.disabled ? this.step.querySelector("button, input") ?? this.talk.list : this.text).focus();
  }

  leave() {
    const { chatflow, log } = this.visitor;
    const answered = log.some(({ body }) => body.kind === "consent" && body.purpose === "storage");
    this.told("close_pressed");
    if (chatflow?.storage?.ask === "on_exit_intent" && !answered && !this.asked) {
      Object.assign(this, { asked: true, leaving: true, tab: "chat" });
      return this.draw();
    }
    this.shut();
  }

  shut() {
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

  attach() {
    for (const file of this.file.files) this.visitor.say(file.name, undefined, file);
    this.file.value = "";
    this.text.focus();
  }

  draw() {
    const { visitor, words } = this;
    const view = visitor.status === "refused" ? null : visitor.chatflow;
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
    this.chat.hidden = !this.open || visitor.status === "refused";
    this.launcher.hidden = this.open || !view;
    this.bubble.hidden = this.open || !this.prompt || !view?.welcome;
    const name = view?.heading.name || view?.name || "";
    this.launcher.setAttribute("aria-label", name);
    this.chat.setAttribute("aria-label", name || words("connecting"));
    this.talk.list.setAttribute("aria-label", view?.name ?? "");
    this.tabs.setAttribute("aria-label", name);
    redraw(this.bubble, [this.bubble.hidden, view?.welcome], () => !this.bubble.hidden
      && el("button", { type: "button", onclick: () => this.enter() }, view.welcome));
    redraw(this.head, [view?.heading, view?.close_button, view?.texts?.close, visitor.availability?.open, this.goesOn()], () => this.heading(view));
    redraw(this.tabs, [view?.locale, this.tab], () => tabsOf(this.root.lang, this.tab, (tab) => this.turn(tab)));
    redraw(this.help, [view?.locale], () => helpOf(this.root.lang));
    this.talk.draw(visitor, view);
    this.status(view);
    this.steps(view);
    const helps = this.tab === "help";
    this.help.hidden = !helps;
    this.talk.list.hidden = this.step.hidden = helps;
    this.note.hidden ||= helps;
    this.composer.hidden ||= helps;
    this.talk.follow();
    visitor.looks(this.open && !helps);
  }

  turn(tab) {
    this.tab = tab;
    this.draw();
    this.tabs.querySelector("[aria-current]").focus();
  }

  /* Whether there is something that the visitor could end. */
  goesOn() {
    const last = this.visitor.log.findLast(({ body }) => ["message", "reopened", "closed"].includes(body.kind));
    return Boolean(last) && last.body.kind !== "closed";
  }

  heading(view) {
    if (!view) return [];
    const { words } = this;
    const { name, image, people = [] } = view.heading;
    const faces = image || !people.length ? [faceOf(name || view.name, image)] : people.map((each) => faceOf(each.name, each.picture));
    const title = name || people.map((each) => each.name).join(", ") || view.name;
    const open = this.visitor.availability?.open;
    const button = (label, path, onclick) => el("button", { type: "button", class: "close", "aria-label": label, title: label, onclick }, icon(path));
    return [el("div", { class: "faces" }, faces), el("div", { class: "who" }, el("h2", {}, title),
      open !== undefined && el("p", { class: open ? "here" : "" }, words(open ? "available" : "unavailable"))),
    this.goesOn() && button(words("end"), "M9 5H5v14h4M9 12h11M16 8l4 4l-4 4", () => {
      Object.assign(this, { ending: true, tab: "chat" });
      this.draw();
      this.step.querySelector("button").focus();
    }),
    (view.close_button ?? true) && button(words("close"), "M6 6l12 12M18 6L6 18", () => this.leave())];
  }

  status(view) {
    const { visitor, words } = this;
    const { place, availability } = visitor;
    const last = visitor.log.findLast(({ body }) => ["assigned", "closed", "queued"].includes(body.kind))?.body.kind;
    const lines = [];
    if (visitor.status === "lost") lines.push(words("offline"));
    else if (!view) lines.push(visitor.status === "ready" ? words("error_no_chatflow") : "");
    else if (visitor.typing.name !== null) lines.push(words("typing", { agent: visitor.typing.name }));
    else if (last === "queued" && place) {
      lines.push(place.place === 1 ? words("queue_next") : words(place.exact ?? true ? "queue_place" : "queue_about", { place: place.place }));
      if (place.wait_s) lines.push(place.wait_s < 60 ? words("wait_soon") : words("wait_minutes", { minutes: Math.ceil(place.wait_s / 60) }));
    } else if (last === "queued" && availability?.open) lines.push(words("waiting"));
    else if (last === "closed") lines.push(words("write_to_reopen"));
    if (last !== "assigned" && last !== "closed" && visitor.typing.name === null && availability?.text) lines.push(availability.text);
    const text = lines.join(" ");
    if (this.note.textContent !== text) this.note.textContent = text;
    this.note.hidden = !text;
    this.note.classList.toggle("typing", visitor.typing.name !== null);
  }

  steps(view) {
    const { visitor, words } = this;
    const [step] = visitor.steps.outstanding;
    const bodies = visitor.log.map(({ body }) => body);
    const ask = visitor.log.findLast(({ body }) => ["email_asked", "email_given", "email_given_up"].includes(body.kind));
    const asked = ask?.body.kind === "email_asked" && ask.seq > this.later ? ask : null;
    const survey = bodies.findLast((body) => body.kind === "survey_asked");
    const outcome = survey && outcomeOf(survey, bodies);
    const which = !view ? "" : this.leaving ? "leaving" : this.ending ? "ending"
      : step ?? (outcome && !outcome.over ? "survey" : asked ? "asked" : "");
    const sign = [which, view?.etag, view?.locale, which === "asked" && asked.seq, which === "survey" && [survey.ask, outcome]];
    const held = this.step.contains(document.activeElement);
    redraw(this.step, sign, () => this.card(view, which, asked, survey, outcome));
    if (held && !this.step.contains(document.activeElement)) (this.step.querySelector("input, button") ?? this.text).focus();
    const blocked = !view || Boolean(step) || visitor.steps.blocked || (availability(visitor) === false && !visitor.log.length);
    this.text.disabled = this.send.disabled = this.clip.disabled = blocked;
    this.composer.hidden = !view || visitor.steps.blocked;
    this.text.placeholder = words(step === "email" ? "placeholder_email" : step ? "placeholder_consent" : "placeholder");
    for (const [place, name] of [[this.text, "placeholder"], [this.send, "send"], [this.clip, "attach"]]) place.setAttribute("aria-label", words(name));
  }

  card(view, which, asked, survey, outcome) {
    const { visitor, words } = this;
    const answer = async (...given) => {
      const code = await visitor.answer(...given);
      if (!code) this.text.focus();
      return code;
    };
    const later = () => {
      this.later = asked.seq;
      this.draw();
    };
    switch (which) {
      case "leaving":
        return storageCard(view, words, async (...given) => {
          await visitor.answer(...given);
          this.shut();
        });
      case "ending":
        return endCard(words, (yes) => {
          this.ending = false;
          if (yes) visitor.close();
          this.draw();
        });
      case "storage_consent":
        return storageCard(view, words, answer);
      case "consent_to_process":
        return consentCard(view, words, answer);
      case "email":
        return emailCard(view.email?.text ?? "", words, answer);
      case "asked":
        return emailCard(asked.body.text, words, answer, later);
      case "survey":
        if (!outcome.seen) visitor.survey(survey.ask, "seen");
        return surveyCard(survey, words, outcome, (action, more) => visitor.survey(survey.ask, action, more));
      default:
        return view?.consent?.mode === "legitimate_interest" && !visitor.log.some(({ body }) => body.kind === "message")
          ? el("p", { class: "small" }, view.consent.text) : [];
    }
  }
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
