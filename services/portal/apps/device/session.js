/** This device at identity: its enrolment by a code, and its access token, which stays in memory. */
import { Declined, ask, post } from "./requests.js";
import { prove, publicKeyOf } from "./signatures.js";
import { newIdentity } from "./spool.js";

const MARGIN = 30_000;

/** The code was for the other app of devices, `role`. */
export class OtherRole extends Error {
  /** @param {string} role */
  constructor(role) {
    super(role);
    this.role = role;
  }
}

export class DeviceSession {
  #token = "";
  #expires = 0;

  /** @param {import("./spool.js").Spool} spool */
  constructor(spool) {
    this.spool = spool;
  }

  /** Enrol this device as the till or terminal `name` with a code. A device that was enrolled before stays at its
   * place, and makes another key: a revoked one never comes back. Raises OtherRole.
   * @param {string} code @param {string} name @returns {Promise<import("./spool.js").Enrolment>} */
  async enrol(code, name) {
    const [device, { content }] = await Promise.all([this.spool.device(), ask("/apps/identity.json")]);
    const { enrolment: former } = device;
    const identity = former ? await newIdentity() : device;
    const text = code.trim().toLowerCase();
    const body = {
      public_key: await publicKeyOf(identity.keys.publicKey),
      proof: await prove(identity.keys.privateKey, identity.subject, content.audience, text),
      name: former?.name ?? name,
      ...(former ? { scope: former.scope } : {}),
    };
    const answer = await post(`/identity/device-codes/${encodeURIComponent(text)}/device`, body);
    if (answer.role !== this.spool.role) throw new OtherRole(answer.role);
    const enrolment = { audience: content.audience, scope: answer.scope, name: answer.name };
    await this.spool.enrolled(enrolment, identity);
    this.forget();
    return enrolment;
  }

  /** A token that is good for half a minute at least. @returns {Promise<string>} */
  async token() {
    if (this.#token && performance.now() < this.#expires - MARGIN) return this.#token;
    const { keys, subject, enrolment } = await this.spool.device();
    if (!enrolment) throw new Error("the device is not enrolled");
    const asked = performance.now();
    const { challenge } = await post("/identity/device-challenges", { device: subject });
    const proof = await prove(keys.privateKey, subject, enrolment.audience, challenge);
    const page = await post("/identity/device-tokens", { device: subject, challenge, proof });
    this.#token = page.access_token;
    this.#expires = asked + page.expires_in * 1000;
    return this.#token;
  }

  /** The answer to a request with the token of this device, and its JSON. Raises Unreachable and Declined.
   * @param {string} path @param {RequestInit} [options] */
  async ask(path, options = {}) {
    for (let again = true; ; again = false) {
      const headers = { ...options.headers, Authorization: `Bearer ${await this.token()}` };
      try {
        return await ask(path, { ...options, headers });
      } catch (fault) {
        if (!(fault instanceof Declined) || fault.status !== 401 || !again) throw fault;
        this.forget();
      }
    }
  }

  /** The token was refused. */
  forget() {
    this.#token = "";
  }
}
