/* Elements of the page, made by hand.

   Invariant: text is only ever text: nothing that anybody wrote is read as HTML. */

/* Make an element: `on…` are listeners, `class`, `for` and the like attributes; null and false leave it out. */
export function el(name, fields = {}, ...children) {
  const made = document.createElement(name);
  for (const [field, value] of Object.entries(fields)) {
    if (value === null || value === undefined || value === false) continue;
    if (field.startsWith("on")) made.addEventListener(field.slice(2), value);
    else made.setAttribute(field, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/* Build again what is in `place` only if `sign`, which says what it depends on, is another one. */
export function redraw(place, sign, build) {
  const text = JSON.stringify(sign);
  if (place.dataset.sign === text) return;
  place.dataset.sign = text;
  place.replaceChildren(...[build()].flat().filter(Boolean));
}

/* Draw a picture of `paths` on a field of 24 by 24, of which nobody needs to be told. */
export function icon(...paths) {
  const SVG = "http://www.w3.org/2000/svg";
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("aria-hidden", "true");
  for (const d of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    drawn.append(path);
  }
  return drawn;
}

/* Draw somebody's picture, or the first letter of the name; the name itself stands beside it. */
export function faceOf(name, picture) {
  const src = picture && safe(picture, ["https:"]);
  if (src) return el("img", { src, alt: "", class: "face" });
  return el("span", { class: "face", "aria-hidden": "true" }, [...name].slice(0, 1).join("").toUpperCase() || icon("M5 20q0-6 7-6t7 6M12 4a3.500 3.500 0 1 0 0 7a3.500 3.500 0 1 0 0-7"));
}

const RTL = new Set(["ar", "fa", "he", "ur"]);

export function direction(locale) {
  return RTL.has(locale.split("-")[0]) ? "rtl" : "ltr";
}

/* Return the address if a browser may be sent there or shown it, else null. */
export function safe(address, schemes) {
  try {
    const url = new URL(address, location.origin);
    return schemes.includes(url.protocol) || (address.startsWith("/") && url.origin === location.origin) ? url.href : null;
  } catch {
    return null;
  }
}
