/* What is asked of a visitor and what a message holds beside its text, as elements.

   Invariant: every kind has its plain text, so one that is not known here shows that and leaves nothing out. */

import { el, icon, safe } from "./elements.js";

const ROUND = "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M9 9.5v.5M15 9.5v.5";
const FACES = ["M8.5 16q3.5-3.5 7 0", "M8.5 15h7", "M8.5 14q3.5 3.5 7 0"];
const STAR = "M12 3.500l2.600 5.500l6 .8l-4.400 4.200l1.100 6l-5.300-2.900l-5.300 2.900l1.100-6l-4.400-4.200l6-.8z";
const UP = "M7 11v9M7 19.5h9.5q1.500 0 1.800-1.200l1.400-6.500q.2-1.300-1.200-1.300H14l.8-4.200q0-1.800-1.800-1.800L9.500 11H4v9h3";
const DOWN = "M7 13V4M7 4.500h9.500q1.500 0 1.800 1.200l1.400 6.500q.2 1.300-1.200 1.300H14l.8 4.200q0 1.800-1.800 1.800L9.500 13H4V4h3";

let count = 0;
const fresh = () => `field-${++count}`;
const button = (label, onclick, kind = "plain") => el("button", { type: "button", class: kind, onclick }, label);

export function storageCard(view, words, answer) {
  return el("section", { class: "card", "aria-label": view.storage.text },
    el("p", {}, view.storage.text),
    el("div", { class: "row" },
      button(words("storage_agree"), () => answer("storage_consent", "granted"), "main"),
      button(words("storage_decline"), () => answer("storage_consent", "declined"))));
}

export function consentCard(view, words, answer) {
  const { text, communicate } = view.consent;
  const box = communicate && el("input", { type: "checkbox", id: fresh() });
  const said = () => (box ? box.checked : undefined);
  return el("section", { class: "card", "aria-label": text },
    el("p", {}, text),
    box && el("p", { class: "box" }, box, el("label", { for: box.id }, communicate.label)),
    el("div", { class: "row" },
      button(words("consent_agree"), () => answer("consent_to_process", "granted", said()), "main"),
      button(words("consent_decline"), () => answer("consent_to_process", "declined", said()))));
}

/* `later` null: it is a step, and nothing goes on without. */
export function emailCard(text, words, answer, later = null) {
  const id = fresh();
  const input = el("input", { id, type: "email", autocomplete: "email", placeholder: words("email_placeholder") });
  const wrong = el("p", { class: "wrong", id: `${id}-wrong`, role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    const code = await answer("email", input.value.trim() || "?");
    wrong.textContent = code ? words(code === "bad_answer" || code === "malformed" ? "email_invalid" : `error_${code}`) : "";
    input.setAttribute("aria-invalid", String(Boolean(code)));
    input.setAttribute("aria-describedby", wrong.id);
  };
  return el("form", { class: "card", novalidate: true, onsubmit: submit },
    el("label", { for: id }, text), input, wrong,
    el("div", { class: "row" }, el("button", { type: "submit", class: "main" }, words("email_send")),
      later && button(words("consent_decline"), later)));
}

export function endCard(words, answer) {
  return el("section", { class: "card", "aria-label": words("end_confirm") },
    el("p", {}, words("end_confirm")),
    el("div", { class: "row" }, button(words("yes"), () => answer(true), "main"), button(words("no"), () => answer(false))));
}

export function surveyCard(asked, words, state, answer) {
  if (state.answered) return thanksCard(asked, words, state, answer);
  return el("section", { class: "card survey", "aria-label": asked.question },
    el("p", {}, asked.question),
    el("div", { class: `row scores ${asked.scale}` }, scores(asked.scale, words).map(([score, sign, name]) =>
      el("button", { type: "button", class: "score", "aria-label": name, title: name,
        onclick: () => answer("answer", { score }) }, sign))),
    asked.scale === "ten" && el("p", { class: "ends small" }, el("span", {}, words("survey_ten_low")), el("span", {}, words("survey_ten_high"))),
    button(words("survey_dismiss"), () => answer("dismiss"), "bare"));
}

function thanksCard(asked, words, { score, commented }, answer) {
  const told = (texts) => texts?.[score] ?? texts?.any ?? "";
  const id = fresh();
  const input = el("textarea", { id, rows: 2, maxlength: 2000 });
  const submit = (event) => {
    event.preventDefault();
    if (input.value.trim()) answer("comment", { text: input.value.trim() });
  };
  return el("section", { class: "card survey", role: "status" },
    el("p", {}, told(asked.thanks) || words("survey_thanks")),
    !commented && el("form", { onsubmit: submit },
      el("label", { for: id }, told(asked.follow_up) || words("survey_comment")), input,
      el("button", { type: "submit", class: "main" }, words("survey_send"))));
}

function scores(scale, words) {
  const range = (first, last) => Array.from({ length: last - first + 1 }, (_, at) => first + at);
  switch (scale) {
    case "stars":
      return range(1, 5).map((score) => [score, icon(STAR), words("survey_star", { count: score })]);
    case "ten":
      return range(0, 10).map((score) => [score, String(score),
        `${score}${score === 0 ? `, ${words("survey_ten_low")}` : score === 10 ? `, ${words("survey_ten_high")}` : ""}`]);
    case "thumbs":
      return range(0, 1).map((score) => [score, icon(score ? UP : DOWN), words(`survey_thumbs_${score}`)]);
    default:
      return range(0, 2).map((score) => [score, icon(ROUND, FACES[score]), words(`survey_faces_${score}`)]);
  }
}

/* Return what was said before the plain form of `content`, "" if nothing was. */
export function leadOf(text, content) {
  if (content.kind === "files") return content.caption ?? "";
  const [each] = content.options ?? content.buttons ?? content.cards ?? [];
  const first = content.title ?? each?.title ?? each?.label ?? "";
  const at = text.split("\n").findIndex((line) => line === first || line.startsWith(`- ${first}`));
  return at < 0 ? text : text.split("\n").slice(0, at).join("\n");
}

/* Return what `content` of a message shows; null if its text says it all. `open`: whether it still takes an answer. */
export function contentOf(content, words, { seq, open, files, loaded }, say) {
  const choose = (option) => () => say(option.label, { kind: "choice", of: seq, option: option.id });
  const press = (each) => {
    const url = each.url && safe(each.url, ["https:", "tel:", "mailto:"]);
    return url ? el("a", { class: "plain", href: url, target: "_blank", rel: "noopener noreferrer" }, each.label)
      : button(each.label, choose(each));
  };
  const card = (each) => {
    const image = each.image && safe(each.image, ["https:"]);
    return el("div", { class: "offered" }, image && el("img", { src: image, alt: "" }),
      el("strong", {}, each.title), each.text && el("p", {}, each.text), el("div", { class: "row" }, (each.buttons ?? []).map(press)));
  };
  switch (content?.kind) {
    case "quick_replies":
      return open ? el("div", { class: "row", role: "group", "aria-label": words("choose") },
        content.options.map((option) => button(option.label, choose(option)))) : null;
    case "buttons":
      return el("div", { class: "row", role: "group", "aria-label": words("choose") }, content.buttons.map(press));
    case "card":
      return card(content);
    case "carousel":
      return el("div", { class: "carousel", tabindex: "0", role: "group", "aria-label": words("choose") }, content.cards.map(card));
    case "article": {
      const url = safe(content.url, ["https:"]);
      return el("div", { class: "offered" },
        url ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, content.title) : content.title,
        content.snippet && el("p", {}, content.snippet));
    }
    case "files":
      return content.files.map((file) => (file.kind === "image" ? pictureOf(file, files, loaded) : fileOf(file, files)));
    case "form":
      return open ? formOf(content, words, seq, say) : null;
    default:
      return null;
  }
}

function pictureOf(file, address, onload) {
  const { name: alt, width, height } = file;
  const shown = el("img", { class: "picture", alt, width, height, onload });
  address(file).then((url) => url && shown.setAttribute("src", url));
  return shown;
}

function fileOf(file, address) {
  const save = async () => {
    const href = await address(file);
    if (href) el("a", { href, download: file.name }).click();
  };
  return el("button", { type: "button", class: "file", onclick: save }, icon("M6 3h8l4 4v14h-12zM14 3v4h4"),
    el("span", {}, file.name), el("span", { class: "small" }, `${Math.ceil(file.size / 1024)} kB`));
}

function formOf(content, words, seq, say) {
  const kinds = { email: "email", phone: "tel", number: "number", date: "date" };
  const fields = content.fields.map((field) => {
    const more = { id: fresh(), required: field.required };
    const input = field.kind === "choice"
      ? el("select", more, el("option", { value: "" }), field.options.map((each) => el("option", { value: each.id }, each.label)))
      : el("input", { ...more, type: kinds[field.kind] ?? "text", maxlength: 2000 });
    return { field, input };
  });
  const submit = (event) => {
    event.preventDefault();
    const given = fields.filter(({ input }) => input.value);
    const values = Object.fromEntries(given.map(({ field, input }) => [field.id, input.value]));
    const text = given.map(({ field, input }) => `${field.label}: ${input.value}`).join("\n");
    say(text || content.title, { kind: "form_values", of: seq, values });
  };
  return el("form", { class: "offered", onsubmit: submit }, el("strong", {}, content.title),
    fields.map(({ field, input }) => el("p", {}, el("label", { for: input.id }, field.label), input)),
    el("button", { type: "submit", class: "main" }, words("form_send")));
}
