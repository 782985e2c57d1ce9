/**
 * Signatures of this device by its P-256 key: of each record when it is made, and of a challenge for a token.
 * docs/guides/devices.md has the format, and tests/contract/signatures.json examples of it.
 */
import { base32, base64url, joined, utf8 } from "./encoding.js";

/** @typedef {{ source: string, id: string, type: string, time: string, key: string,
 *   bytes: Uint8Array }} SignedContent */
/** @typedef {{ privateKey: CryptoKey, publicKey: CryptoKey }} KeyPair */
/** @typedef {{ kty: string, crv: string, x: string, y: string }} PublicKey */

export const KEY = { name: "ECDSA", namedCurve: "P-256" };
const USE = { name: "ECDSA", hash: "SHA-256" };
const RECORD_TYPE = "karya-record";
const PROOF_TYPE = "karya-proof";

/** The members of a public key that identity takes. @param {CryptoKey} key @returns {Promise<PublicKey>} */
export async function publicKeyOf(key) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", key);
  return /** @type {PublicKey} */ ({ kty, crv, x, y });
}

/** The subject of the device with this key: its thumbprint by RFC 7638. @param {PublicKey} key */
export async function subjectOf({ kty, crv, x, y }) {
  const digest = await crypto.subtle.digest("SHA-256", utf8(JSON.stringify({ crv, kty, x, y })));
  return `d-${base32(new Uint8Array(digest))}`;
}

/** The bytes that are signed: for each part its length as decimal digits, a colon, the part, and a comma.
 * @param {SignedContent} content */
export function payloadOf({ source, id, type, time, key, bytes }) {
  const parts = [...[source, id, type, time, key].map(utf8), bytes];
  return joined(parts.flatMap((part) => [utf8(`${part.length}:`), part, utf8(",")]));
}

/** The detached signature of a record.
 * @param {CryptoKey} key @param {string} subject @param {SignedContent} content */
export async function signRecord(key, subject, content) {
  const header = headerOf({ alg: "ES256", kid: subject, typ: RECORD_TYPE, b64: false, crit: ["b64"] });
  const made = await crypto.subtle.sign(USE, key, joined([utf8(`${header}.`), payloadOf(content)]));
  return `${header}..${base64url(new Uint8Array(made))}`;
}

/** The answer to a challenge of the identity service at `audience`.
 * @param {CryptoKey} key @param {string} subject @param {string} audience @param {string} challenge */
export async function prove(key, subject, audience, challenge) {
  const header = headerOf({ alg: "ES256", kid: subject, typ: PROOF_TYPE });
  const claims = base64url(utf8(JSON.stringify({ aud: audience, challenge })));
  const made = await crypto.subtle.sign(USE, key, utf8(`${header}.${claims}`));
  return `${header}.${claims}.${base64url(new Uint8Array(made))}`;
}

/** @param {object} members */
function headerOf(members) {
  return base64url(utf8(JSON.stringify(members)));
}
