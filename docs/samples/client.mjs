// A party's client with Node 18 or later and nothing installed; the same calls work in a browser.
//
//   node client.mjs URL ORIGIN PARTY KEY.pem BILL
//
// Proves who asks, reads a bill, signs as its holder, sends the event, prints the receipt's index.

import { webcrypto } from "node:crypto"; // `crypto` in a browser, and in Node since 20
import { readFile } from "node:fs/promises";

const { subtle } = webcrypto;
const ALGORITHMS = {
  Ed25519: { key: { name: "Ed25519" }, sign: { name: "Ed25519" } },
  ES256: {
    key: { name: "ECDSA", namedCurve: "P-256" },
    sign: { name: "ECDSA", hash: "SHA-256" }, // WebCrypto writes r and s raw, as JOSE wants them
  },
};

const base64url = (bytes) => Buffer.from(bytes).toString("base64url");
const utf8 = (text) => new TextEncoder().encode(text);

// RFC 8785, as long as there are no numbers but safe integers, as in every event.
function canonical(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

async function load(path) {
  const pem = await readFile(path, "ascii");
  const der = Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ""), "base64");
  for (const [alg, { key }] of Object.entries(ALGORITHMS)) {
    try {
      const privateKey = await subtle.importKey("pkcs8", der, key, true, ["sign"]);
      const { crv, kty, x, y } = await subtle.exportKey("jwk", privateKey);
      const jwk = kty === "OKP" ? { crv, kty, x } : { crv, kty, x, y };
      const kid = base64url(await subtle.digest("SHA-256", utf8(canonical(jwk)))); // RFC 7638
      return { alg, kid, privateKey };
    } catch (error) {
      if (error.name !== "DataError") throw error; // a key of the other kind
    }
  }
  throw new Error(`${path} holds neither an Ed25519 nor a P-256 key as PKCS#8 PEM`);
}

// A compact JWS whose header is exactly alg, kid and typ.
async function sign({ alg, kid, privateKey }, typ, value) {
  const input = `${base64url(utf8(canonical({ alg, kid, typ })))}.${base64url(utf8(canonical(value)))}`;
  const signature = await subtle.sign(ALGORITHMS[alg].sign, privateKey, utf8(input));
  return `${input}.${base64url(signature)}`;
}

function uuid7() {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(Date.now()) << 16n);
  webcrypto.getRandomValues(bytes.subarray(6));
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

async function call(url, { body, ...headers } = {}) {
  const answer = await fetch(url, { method: body ? "POST" : "GET", body, headers });
  const value = await answer.json();
  if (!answer.ok) throw new Error(`${value.code}: ${value.detail} ${value.nextStep}`);
  return value;
}

async function token(url, party, key) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: party,
    sub: party,
    aud: `${url}/oauth/token`,
    iat: now,
    exp: now + 60,
    jti: webcrypto.randomUUID(),
  };
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: await sign(key, "client-authentication+jwt", claims),
  });
  return (await call(`${url}/oauth/token`, { body: form })).access_token;
}

const [url, origin, party, keyFile, bill] = process.argv.slice(2);
const key = await load(keyFile);
const Authorization = `Bearer ${await token(url, party, key)}`;
console.log("status", (await call(`${url}/v1/bills/${bill}`, { Authorization })).status);

const stream = `bill:${bill}`;
const head = await call(`${url}/v1/streams/${encodeURIComponent(stream)}/head`, { Authorization });
const event = {
  v: 1,
  id: uuid7(),
  action: "SIGN",
  actor: party,
  at: new Date().toISOString(),
  audience: origin,
  stream,
  sequence: head.sequence + 1,
  previous: head.digest,
  details: {},
};
const compact = await sign(key, "ebl-event+jws", event);
const receipt = await call(`${url}/v1/events`, {
  body: compact,
  "Content-Type": "application/jose",
});
console.log("recorded at index", receipt.index);
