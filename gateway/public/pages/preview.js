/* The page around the phone: what it is tried out on, and the agent's part.

   Invariant: the token comes from the fragment of the address and goes into the first frame and a header, nowhere else. */

import { el } from "./elements.js";
import { SAMPLES } from "./samples.js";
import { Screen } from "./screen.js";
import { Typing } from "./typing.js";
import { Visitor } from "./visitor.js";

const LOCALES = { nb: "norsk", en: "English", de: "Deutsch", fr: "français", es: "español", ar: "العربية", ja: "日本語" };
const ENDED = "This preview has ended. Begin another one.";
const token = location.hash.slice(1);
const find = (id) => document.getElementById(id);
const root = document.documentElement;
const phone = find("phone");
const typing = new Typing();
let visitor = null;
let status = "";

const tell = (text) => (find("told").textContent = text);
const screen = new Screen(phone, (what) => tell(`The app is told: ${what}`));

function begin() {
  visitor?.stop();
  const address = new URL("/v1/mobile", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  address.hash = "";
  const device = { platform: "web", app_version: "preview", locale: find("locale").value };
  visitor = new Visitor(address.href, { app_key: "preview", tag: "preview", preview: token, device }, draw);
  screen.begin(visitor, phone.classList.contains("large"));
  screen.draw();
}

function draw() {
  screen.draw();
  const { refusal, chatflow, conversation, log } = visitor;
  const states = { connecting: "Connecting …", lost: "The line is lost; it comes back by itself.",
    refused: refusal === "token_invalid" ? ENDED : `Refused: ${refusal}` };
  const text = states[visitor.status] ?? (chatflow ? `${chatflow.name}, in ${LOCALES[chatflow.locale] ?? chatflow.locale}` : "Nothing is shown yet, or no more.");
  if (find("state").textContent !== text) find("state").textContent = text;
  find("state").className = visitor.status;
  const going = visitor.status !== "refused" && Boolean(conversation) && log.some(({ body }) => body.kind === "message");
  for (const id of ["say", "read", "end"]) find(id).disabled = !going;
  // Whoever plays the agent is there through one gateway; the next may not know.
  if (status === "lost" && visitor.status === "ready" && find("there").checked) act("come");
  status = visitor.status;
}

async function act(what, more = {}) {
  const said = await fetch("/v1/preview/acts", {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ act: what, conversation: visitor.conversation ?? "-", ...more }),
  });
  if (!said.ok) tell(`The agent is refused: ${(await said.json()).code}`);
  return said.ok;
}

function offer(select, options) {
  for (const [value, name, lang] of options) select.append(el("option", { value, lang }, name));
}

offer(find("locale"), Object.entries(LOCALES).map(([locale, name]) => [locale, name, locale]));
offer(find("kind"), Object.keys(SAMPLES).map((kind) => [kind, kind === "text" ? "nothing" : kind.replace("_", " ")]));
find("locale").value = navigator.languages.map((each) => each.split("-")[0].replace("no", "nb")).find((each) => each in LOCALES) ?? "en";
find("locale").addEventListener("change", begin);
find("again").addEventListener("click", begin);
find("large").addEventListener("change", ({ target }) => {
  phone.classList.toggle("large", target.checked);
  begin();
});
find("dark").checked = matchMedia("(prefers-color-scheme: dark)").matches;
const shade = () => {
  root.dataset.shade = find("dark").checked ? "dark" : "light";
  root.dataset.text = find("big").checked ? "large" : "usual";
};
for (const id of ["dark", "big"]) find(id).addEventListener("change", shade);
shade();
find("there").addEventListener("change", async ({ target }) => {
  if (!(await act(target.checked ? "come" : "go"))) target.checked = !target.checked;
});
find("words").addEventListener("input", ({ target }) => {
  if (!find("say").disabled) typing.types(target.value !== "", (on) => act("type", { on }));
});
find("agent").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = find("words").value.trim();
  const content = SAMPLES[find("kind").value];
  if ((text || content) && (await act("say", { text, content }))) {
    find("words").value = "";
    find("there").checked = true;
    typing.said();
  }
});
for (const [id, what] of [["read", "read"], ["end", "close"]]) find(id).addEventListener("click", () => act(what));

addEventListener("hashchange", () => location.reload()); // another preview
if (token) begin();
else find("state").textContent = "There is no preview token in this address.";
