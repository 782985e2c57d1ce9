// Signatures of devices as a browser makes and checks them. Reads the vectors' file, and writes one JSON object: the
// fault of each vector that is not as the file says, and a new signature by each key.
import { readFileSync } from "node:fs";

const { subtle } = globalThis.crypto;
const bytes = (text) => new TextEncoder().encode(text);
const decoded = (text, form = "base64url") => new Uint8Array(Buffer.from(text, form));
const encoded = (content) => Buffer.from(content).toString("base64url");
const KINDS = {
  "P-256": { alg: "ES256", key: { name: "ECDSA", namedCurve: "P-256" }, use: { name: "ECDSA", hash: "SHA-256" } },
  Ed25519: { alg: "Ed25519", key: { name: "Ed25519" }, use: { name: "Ed25519" } },
};

function base32(content) {
  const letters = "abcdefghijklmnopqrstuvwxyz234567";
  const bits = [...content].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.match(/.{1,5}/g).map((five) => letters[parseInt(five.padEnd(5, "0"), 2)]).join("");
}

async function deviceOf(key) {
  const fields = key.kty === "EC" ? { crv: key.crv, kty: key.kty, x: key.x, y: key.y } : { crv: key.crv, kty: key.kty, x: key.x };
  return `d-${base32(new Uint8Array(await subtle.digest("SHA-256", bytes(JSON.stringify(fields)))))}`;
}

async function headerOf(key) {
  const header = { alg: KINDS[key.crv].alg, kid: await deviceOf(key), typ: "karya-record", b64: false, crit: ["b64"] };
  return encoded(bytes(JSON.stringify(header)));
}

function payloadOf(record) {
  const texts = [record.source, record.id, record.type, record.time, record.partitionkey].map(bytes);
  const parts = [...texts, decoded(record.data_base64, "base64")];
  return Buffer.concat(parts.flatMap((part) => [bytes(`${part.length}:`), part, bytes(",")]));
}

async function sign(key, record) {
  const kind = KINDS[key.crv];
  const imported = await subtle.importKey("jwk", key, kind.key, false, ["sign"]);
  const header = await headerOf(key);
  const made = await subtle.sign(kind.use, imported, Buffer.concat([bytes(`${header}.`), payloadOf(record)]));
  return `${header}..${encoded(new Uint8Array(made))}`;
}

async function isSigned(key, record) {
  const [header, middle, made, ...more] = record.signature.split(".");
  if (more.length || middle !== "" || header !== (await headerOf(key))) return false;
  const kind = KINDS[key.crv];
  const { kty, crv, x, y } = key;
  const imported = await subtle.importKey("jwk", y ? { kty, crv, x, y } : { kty, crv, x }, kind.key, true, ["verify"]);
  const content = Buffer.concat([bytes(`${header}.`), payloadOf(record)]);
  return subtle.verify(kind.use, imported, decoded(made), content);
}

const file = JSON.parse(readFileSync(process.argv[2], "utf8"));
const faults = [];
for (const [name, key] of Object.entries(file.keys))
  if ((await deviceOf(key)) !== file.devices[name]) faults.push(`device of ${name}`);
for (const record of file.records) {
  if (payloadOf(record).toString("base64") !== record.payload_base64) faults.push(`payload of ${record.name}`);
  if (!(await isSigned(file.keys[record.key], record))) faults.push(`signature of ${record.name}`);
}
for (const record of file.refused)
  if (await isSigned(file.keys[record.key], record)) faults.push(`${record.name} was taken`);
const made = {};
for (const record of file.records) made[record.name] = await sign(file.keys[record.key], record);
console.log(JSON.stringify({ faults, made }));
