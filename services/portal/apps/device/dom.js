/** Elements without markup in strings, and guards against a bouncing touch screen and a page that changes under a
 * finger. */

/** @typedef {Node | string | number | null | false | Child[]} Child */

const BOUNCE = 400;
const NEAR = 24;

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
    else if (child !== null && child !== false) parent.append(child instanceof Node ? child : String(child));
  }
}

/** Swallows a tap that follows another one at once and at the same place, but meets another button there: the first
 * tap has changed the page. The first tap always counts, and so do taps on the same button. */
export function swallowBounces() {
  /** @type {{ time: number, x: number, y: number, target: string } | null} */
  let last = null;
  const guard = (/** @type {MouseEvent} */ event) => {
    // A click by the keyboard has no place.
    if (event.detail === 0 || !(event.target instanceof Element)) return;
    const met = event.target.closest("button, a, label, input");
    // A tap on a label is followed by one that the browser makes on its field: both are one tap.
    const target = (met instanceof HTMLLabelElement ? met.control : met)?.id ?? "";
    const tap = { time: event.timeStamp, x: event.clientX, y: event.clientY, target };
    const isBounce =
      last !== null &&
      tap.time - last.time < BOUNCE &&
      Math.hypot(tap.x - last.x, tap.y - last.y) < NEAR &&
      tap.target !== last.target;
    if (isBounce) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else last = tap;
  };
  document.addEventListener("click", guard, { capture: true });
}

/** Tells when a change of the page may come. A button that is replaced between press and release gets no click. */
export class Press {
  #isDown = false;
  /** @type {(() => void) | null} */ #waiting = null;

  constructor() {
    const options = { capture: true };
    document.addEventListener("pointerdown", () => (this.#isDown = true), options);
    // A mouse's click comes in the task of its release, before a timer. A finger's click goes to what lies there then.
    for (const end of ["pointerup", "pointercancel"])
      document.addEventListener(end, () => setTimeout(() => this.#release()), options);
    addEventListener("blur", () => this.#release());
  }

  /** Runs `act` now, or once nothing is pressed. Of several that wait, the last one runs. @param {() => void} act */
  after(act) {
    if (this.#isDown) this.#waiting = act;
    else act();
  }

  #release() {
    this.#isDown = false;
    const act = this.#waiting;
    this.#waiting = null;
    act?.();
  }
}

/** Runs `act` for a tap, and no second time while it works. @param {(event: Event) => unknown} act */
export function once(act) {
  let working = false;
  return async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (working) return;
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
