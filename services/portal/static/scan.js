// Counting by scans: a scanner that types, or the camera where the browser reads codes. Each scan counts one piece.

const EVERY_MS = 200;
// The same code in front of the camera is the same piece, until it was away for so long.
const AWAY_MS = 1500;

/** The code of a lot without its dashes, as some scanners leave them out. A public page's address ends with it. */
function letters(/** @type {string} */ text) {
  return (text.trim().split("/").pop() ?? "").replace(/[^0-9a-z]/gi, "").toUpperCase();
}

function counts() {
  return [...document.querySelectorAll("input[data-lot]")].filter((field) => field instanceof HTMLInputElement);
}

/** Show beside each lot what the count so far makes lost or surplus, and the sums above. */
function compare() {
  let sent = 0, counted = 0, lost = 0, surplus = 0;
  for (const field of counts()) {
    const expected = Number(field.dataset.sent ?? 0), found = Number(field.value.replace(/\./g, "") || 0);
    sent += expected;
    counted += found;
    lost += Math.max(0, expected - found);
    surplus += Math.max(0, found - expected);
    const state = field.value === "" ? "" : found < expected ? "less" : found > expected ? "more" : "same";
    field.closest(".field")?.setAttribute("data-count", state);
  }
  const sums = document.querySelector("[data-sums]");
  if (!sums) return;
  sums.toggleAttribute("hidden", counts().every((field) => field.value === ""));
  for (const [name, value] of Object.entries({ sent, counted, lost, surplus })) {
    const place = sums.querySelector(`[data-sum="${name}"]`);
    if (place) place.textContent = String(value);
  }
}

/** Count one piece of the lot, and say so. */
function count(/** @type {Element} */ place, /** @type {string} */ code) {
  const field = counts().find((other) => letters(other.dataset.lot ?? "") === letters(code));
  const said = place.querySelector("[role=status]");
  if (field) field.value = String(Number(field.value || 0) + 1);
  place.classList.toggle("wrong", !field);
  if (said) {
    const text = said.getAttribute(field ? "data-counted" : "data-unknown") ?? "";
    said.textContent = `${field?.dataset.lot ?? code}: ${text.replace("#", field?.value ?? "")}`;
  }
  compare();
}

async function watch(/** @type {Element} */ place, /** @type {HTMLVideoElement} */ video) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  // @ts-ignore: no browser's types have it yet.
  const detector = new BarcodeDetector({ formats: ["qr_code", "code_128"] });
  let last = "", seen = 0;
  const timer = setInterval(async () => {
    if (!video.isConnected) {
      clearInterval(timer);
      stream.getTracks().forEach((track) => track.stop());
      return;
    }
    for (const { rawValue } of await detector.detect(video).catch(() => [])) {
      if (rawValue !== last || Date.now() - seen > AWAY_MS) count(place, rawValue);
      last = rawValue;
      seen = Date.now();
    }
  }, EVERY_MS);
}

function prepare() {
  const place = document.querySelector("[data-scan]");
  if (!place || !place.hasAttribute("hidden")) return;
  place.removeAttribute("hidden");
  const input = place.querySelector("input");
  input?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (input.value.trim()) count(place, input.value);
    input.value = "";
  });
  input?.focus();
  for (const field of counts()) field.addEventListener("input", compare);
  compare();
  const button = place.querySelector("button"), video = place.querySelector("video");
  if (!button || !video || !("BarcodeDetector" in window) || !navigator.mediaDevices) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    watch(place, video).catch(() => void (button.disabled = false));
  });
}

prepare();
document.body.addEventListener("htmx:afterSettle", prepare);
