/** A QR code as a picture of the page. */
import { h } from "./dom.js";
import { qrModules } from "./qr.js";

const QUIET = 4;
const PIXELS = 8;

/** @param {string} text @param {string} label what it is, for those who do not see it @returns {HTMLCanvasElement} */
export function qrPicture(text, label) {
  const modules = qrModules(text);
  const size = (modules.length + 2 * QUIET) * PIXELS;
  const canvas = h("canvas", { class: "qr", role: "img", "aria-label": label, width: size, height: size });
  const picture = canvas.getContext("2d");
  // Readers need dark on light in a dark page too.
  picture.fillStyle = "#fff";
  picture.fillRect(0, 0, size, size);
  picture.fillStyle = "#000";
  modules.forEach((row, down) =>
    row.forEach((isDark, right) => {
      if (isDark) picture.fillRect((right + QUIET) * PIXELS, (down + QUIET) * PIXELS, PIXELS, PIXELS);
    }),
  );
  return canvas;
}
