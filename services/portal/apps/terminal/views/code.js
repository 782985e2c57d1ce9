/** QR codes as drawings, which stay sharp on paper. A page of labels has too many for pictures made of pixels. */
import { qrModules } from "../../device/qr.js";

const QUIET = 4;

/** The QR code of a text, to be copied for each label. @param {string} text @returns {Element} */
export function qrDrawing(text) {
  const modules = qrModules(text);
  const size = modules.length + 2 * QUIET;
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("drawing"));
  const drawing = /** @type {Element} */ (template.content.firstElementChild?.cloneNode(true));
  drawing.setAttribute("viewBox", `0 0 ${size} ${size}`);
  drawing.firstElementChild?.setAttribute("d", modules.map(runs).join(""));
  return drawing;
}

/** The dark runs of a row as parts of a path. @param {boolean[]} row @param {number} down */
function runs(row, down) {
  let path = "";
  for (let right = 0; right < row.length; right++) {
    const from = right;
    while (row[right]) right++;
    if (right > from) path += `M${from + QUIET} ${down + QUIET}h${right - from}v1h${from - right}z`;
  }
  return path;
}
