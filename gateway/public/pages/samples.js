/* What an agent may send beside text, to try out how it looks.

   Invariant: each is a content that an agent's `send` takes (SPEC 7.2). */

const words = (...labels) => labels.map((label, at) => ({ id: `o${at + 1}`, label }));
const SERVICE = { title: "Service", text: "Brakes, gears and chain, while you wait.", buttons: words("Choose it") };

export const SAMPLES = {
  text: null,
  quick_replies: { kind: "quick_replies", options: words("Today", "Tomorrow", "Another day") },
  buttons: { kind: "buttons", buttons: [...words("Call me"), { id: "o2", label: "Our shops", url: "https://example.com" }] },
  card: { kind: "card", ...SERVICE },
  carousel: { kind: "carousel", cards: [SERVICE, { title: "New tyres", text: "Both wheels, fitted." }] },
  article: { kind: "article", title: "How to oil a chain", url: "https://example.com/chain", snippet: "A drop for each link, then wipe it off." },
  form: { kind: "form", title: "Book a time", fields: [
    { id: "name", label: "Name", required: true },
    { id: "day", label: "Day", kind: "date" },
    { id: "size", label: "Size", kind: "choice", options: words("Small", "Large") },
  ] },
};
