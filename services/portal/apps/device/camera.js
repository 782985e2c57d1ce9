/** Labels read by the camera, one after the other, where the browser can read them. */
import { h } from "./dom.js";
import { tr } from "./words.js";

const EACH = 200;
// The camera sees a label for a while after it was read.
const SAME = 2_000;

/** Whether this browser reads labels by a camera. */
export function canScan() {
  return "BarcodeDetector" in globalThis && Boolean(navigator.mediaDevices?.getUserMedia);
}

/** The picture of the camera above a view, until it is closed. It stays while the view is shown anew. */
export class Camera {
  /** @type {MediaStream | null} */ #stream = null;
  /** @type {HTMLElement | null} */ #part = null;

  get isOpen() {
    return this.#part !== null;
  }

  /** @param {(text: string) => void} read gets each label */
  async open(read) {
    if (this.isOpen) return;
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    this.#stream = stream;
    const video = h("video", { autoplay: true, muted: true, playsinline: true, "aria-label": tr("Camera") });
    video.muted = true;
    video.srcObject = stream;
    const close = h("button", { id: "close-camera", onclick: () => this.close() }, tr("Close the camera"));
    this.#part = h("section", { id: "camera", class: "camera", "aria-label": tr("Camera") }, video, close);
    document.getElementById("view")?.before(/** @type {HTMLElement} */ (this.#part));
    const Detector = /** @type {any} */ (globalThis).BarcodeDetector;
    void this.#look(new Detector({ formats: ["qr_code", "code_128"] }), video, read);
  }

  close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#part?.remove();
    this.#stream = this.#part = null;
  }

  /** @param {any} detector @param {HTMLVideoElement} video @param {(text: string) => void} read */
  async #look(detector, video, read) {
    let last = { text: "", at: 0 };
    for (const part = this.#part; part && this.#part === part; ) {
      // A picture that is not there yet is no fault.
      const codes = await detector.detect(video).catch(() => []);
      const text = codes[0]?.rawValue ?? "";
      if (text && (text !== last.text || performance.now() - last.at > SAME)) read(text);
      if (text) last = { text, at: performance.now() };
      await new Promise((resolve) => setTimeout(resolve, EACH));
    }
  }
}
