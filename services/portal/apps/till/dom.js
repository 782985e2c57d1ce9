/** Elements without markup in strings, and the guard against a bouncing touch screen. */

/** @typedef {Node | string | null | false | Child[]} Child */

const BOUNCE = 400;
let tapped = -Infinity;

/** An element. An attribute that begins with `on` is a listener, `true` an attribute without a value.
 * @param {string} name @param {Record<string, any>} [attributes] @param {Child[]} children @returns {any} */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  put(element, children);
  return element;
}

/** @param {Element} parent @param {Child[]} children */
function put(parent, children) {
  for (const child of children) {
    if (Array.isArray(child)) put(parent, child);
    else if (child !== null && child !== false) parent.append(child);
  }
}

/** Runs `act` for a tap, and no second time while it works or within a bounce. The first tap always counts.
 * @param {(event: Event) => unknown} act */
export function once(act) {
  let working = false;
  return async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (working || event.timeStamp - tapped < BOUNCE) return;
    tapped = event.timeStamp;
    working = true;
    try {
      await act(event);
    } finally {
      working = false;
    }
  };
}

/** A field with its label. @param {string} label @param {Record<string, any>} attributes @param {string} [hint] */
export function field(label, attributes, hint) {
  const { id } = attributes;
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null,
    h("input", { name: id, autocomplete: "off", ...attributes, "aria-describedby": hint ? `${id}-hint` : null }),
  );
}

/** @param {string} kind `good`, `warn` or `bad` @param {Child[]} children */
export function notice(kind, ...children) {
  return h("div", { class: `notice ${kind}`, role: kind === "bad" ? "alert" : null }, ...children);
}
