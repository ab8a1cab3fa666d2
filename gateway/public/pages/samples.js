/* What an agent may send beside text, to try out how it looks.

   Invariant: each is a content that an agent's `send` takes (SPEC 7.2). */

const words = (...labels) => labels.map((label, at) => ({ id: `o${at + 1}`, label }));

export const SAMPLES = {
  text: null,
  quick_replies: { kind: "quick_replies", options: words("A", "B", "C") },
  buttons: { kind: "buttons", buttons: [...words("A"), { id: "o2", label: "example.com", url: "https://example.com" }] },
  card: { kind: "card", title: "A", text: "B", buttons: words("C") },
  carousel: { kind: "carousel", cards: [{ title: "A", text: "B", buttons: words("C") }, { title: "D", text: "E" }] },
  article: { kind: "article", title: "A", url: "https://example.com/a", snippet: "B" },
  form: { kind: "form", title: "A", fields: [
    { id: "name", label: "B", required: true },
    { id: "day", label: "C", kind: "date" },
    { id: "size", label: "D", kind: "choice", options: words("S", "M") },
  ] },
};
