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
