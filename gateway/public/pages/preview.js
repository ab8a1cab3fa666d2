/* The page around the phone: what it is tried out on, and the agent's part.

   Invariant: the token comes from the fragment of the address and goes into the first frame and a header, nowhere else. */

import { el } from "./elements.js";
import { SAMPLES } from "./samples.js";
import { Screen } from "./screen.js";
import { Visitor } from "./visitor.js";

const LOCALES = { nb: "norsk", en: "English", de: "Deutsch", fr: "français", es: "español", ar: "العربية", ja: "日本語" };
const token = location.hash.slice(1);
const find = (id) => document.getElementById(id);
const root = document.documentElement;
const phone = find("phone");
const told = find("told");
let visitor = null;

const screen = new Screen(phone, (what) => tell(`The app is told: ${what}`));

function tell(text) {
  told.textContent = text;
}

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
  const { status, refusal, chatflow, conversation, log } = visitor;
  const states = { connecting: "Connecting …", lost: "The line is lost; it comes back by itself.",
    refused: refusal === "token_invalid" ? "This preview has ended. Begin another one." : `Refused: ${refusal}` };
  find("state").textContent = states[status] ?? (chatflow ? `${chatflow.name}, shown in ${chatflow.locale}` : "Nothing is shown yet, or no more.");
  const going = log.some(({ body }) => body.kind === "message") && Boolean(conversation);
  for (const id of ["say", "end"]) find(id).disabled = !going;
}

async function act(what, more = {}) {
  const said = await fetch("/v1/preview/acts", {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ act: what, ...more }),
  });
  if (!said.ok) tell(`The agent is refused: ${(await said.json()).code}`);
  return said.ok;
}

for (const [locale, name] of Object.entries(LOCALES)) find("locale").append(el("option", { value: locale, lang: locale }, name));
for (const kind of Object.keys(SAMPLES)) find("kind").append(el("option", { value: kind }, kind === "text" ? "nothing" : kind.replace("_", " ")));
find("locale").value = navigator.languages.map((each) => each.split("-")[0].replace("no", "nb")).find((each) => each in LOCALES) ?? "en";
find("locale").addEventListener("change", begin);
find("again").addEventListener("click", begin);
find("large").addEventListener("change", ({ target }) => {
  phone.classList.toggle("large", target.checked);
  begin();
});
find("dark").checked = matchMedia("(prefers-color-scheme: dark)").matches;
const shade = () => (root.dataset.shade = find("dark").checked ? "dark" : "light");
find("dark").addEventListener("change", shade);
shade();
find("there").addEventListener("change", async ({ target }) => {
  if (!(await act(target.checked ? "come" : "go"))) target.checked = !target.checked;
});
find("agent").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = find("words").value.trim();
  const content = SAMPLES[find("kind").value];
  if ((text || content) && (await act("say", { conversation: visitor.conversation, text, content }))) {
    find("words").value = "";
    find("there").checked = true;
  }
});
find("end").addEventListener("click", () => act("close", { conversation: visitor.conversation }));

if (token) begin();
else find("state").textContent = "There is no preview token in this address.";
