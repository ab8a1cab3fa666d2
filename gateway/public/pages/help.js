/* The Help tab, which has nothing to show yet, and says so.

   Invariant: what it says is true of this version: there are no articles to read or search. */

import { el, icon } from "./elements.js";

const BOOK = "M12 6.500q-3-2-8-2v13q5 0 8 2q3-2 8-2v-13q-5 0-8 2v13";
const TEXTS = {
  nb: ["Samtale", "Hjelp", "Hjelpesenteret kommer senere", "Artikler å lese og søke i er ikke med i denne versjonen. Appene viser fanen når de er det."],
  en: ["Chat", "Help", "The help centre comes later", "Articles to read and search are not in this version. Apps show this tab once they are."],
  de: ["Chat", "Hilfe", "Das Hilfecenter kommt später", "Artikel zum Lesen und Suchen gibt es in dieser Version noch nicht. Sobald es welche gibt, zeigen Apps diesen Reiter."],
  fr: ["Discussion", "Aide", "Le centre d’aide viendra plus tard", "Cette version ne contient pas d’articles à lire ou à chercher. Les applications montreront cet onglet quand il y en aura."],
  es: ["Chat", "Ayuda", "El centro de ayuda llegará más adelante", "Esta versión no tiene artículos para leer o buscar. Las aplicaciones mostrarán esta pestaña cuando los haya."],
  ar: ["المحادثة", "المساعدة", "سيأتي مركز المساعدة لاحقًا", "لا تتضمن هذه النسخة مقالات للقراءة أو البحث. ستعرض التطبيقات هذا التبويب عند توفرها."],
  ja: ["チャット", "ヘルプ", "ヘルプセンターは準備中です", "このバージョンには、読んだり検索したりできる記事はまだありません。用意ができると、アプリにこのタブが表示されます。"],
};

function textsFor(locale) {
  return TEXTS[locale.split("-")[0]] ?? TEXTS.en;
}

/* Return the two tabs; `choose` hears "chat" or "help". */
export function tabsOf(locale, chosen, choose) {
  const [chat, help] = textsFor(locale);
  const tab = (name, label, ...paths) => el("button", { type: "button", class: "tab", "aria-current": chosen === name && "page",
    onclick: () => choose(name) }, icon(...paths), label);
  return [tab("chat", chat, "M4 5h16v11h-9l-5 4v-4h-2z"), tab("help", help, BOOK)];
}

export function helpOf(locale) {
  const [, , title, text] = textsFor(locale);
  return [icon(BOOK), el("h3", {}, title), el("p", {}, text)];
}
