// The party's keys, kept by this browser in IndexedDB. Private keys are CryptoKey objects that the
// browser refuses to export; what is sent anywhere is the public JWK and signatures.

import { base64url, bytes, canonical, sha256 } from "./jcs.js";

const NAME = "ebl-portal";
const STORES = { keys: "kid", outbox: "id", receipts: "head" };
const PROBE = bytes("a key signs this once, to prove that its halves fit");

export const ALGORITHMS = {
  Ed25519: { make: { name: "Ed25519" }, sign: { name: "Ed25519" }, members: ["crv", "kty", "x"] },
  ES256: {
    make: { name: "ECDSA", namedCurve: "P-256" },
    sign: { name: "ECDSA", hash: "SHA-256" },
    members: ["crv", "kty", "x", "y"],
  },
};

let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(STORES)) request.result.createObjectStore(store, { keyPath });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function within(store, mode, work) {
  const base = await database();
  return new Promise((resolve, reject) => {
    const transaction = base.transaction(store, mode);
    const request = work(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

export const all = (store) => within(store, "readonly", (rows) => rows.getAll());
export const put = (store, row) => within(store, "readwrite", (rows) => rows.put(row));
export const remove = (store, key) => within(store, "readwrite", (rows) => rows.delete(key));

export async function keyOf(party) {
  const keys = (await all("keys")).filter((key) => key.party === party);
  const current = localStorage.getItem(`ebl-key-${party}`);
  return keys.find((key) => key.kid === current) ?? keys.at(-1) ?? null;
}

export const prefer = (key) => localStorage.setItem(`ebl-key-${key.party}`, key.kid);

// -- making and importing -------------------------------------------------------------------------

export async function make(alg, party) {
  return kept(await generate(alg, party));
}

// A new key that is not kept yet.
export async function generate(alg, party) {
  const { make: how, members } = ALGORITHMS[alg];
  const pair = await crypto.subtle.generateKey(how, false, ["sign", "verify"]);
  const jwk = only(await crypto.subtle.exportKey("jwk", pair.publicKey), members);
  return checked({ alg, party, jwk, privateKey: pair.privateKey });
}

export async function fromJwk(value, party) {
  const alg = algorithmOf(value);
  const { make: how, members } = ALGORITHMS[alg];
  if (typeof value.d !== "string") throw new Error("public");
  const secret = { ...only(value, members), d: value.d };
  const privateKey = await crypto.subtle.importKey("jwk", secret, how, false, ["sign"]);
  return kept(await checked({ alg, party, jwk: only(value, members), privateKey }));
}

// A PKCS#8 key does not always hold its public half: the browser derives it from an extractable
// import that is forgotten at once; the one that is kept cannot be exported.
export async function fromPkcs8(der, party) {
  for (const [alg, { make: how, members }] of Object.entries(ALGORITHMS)) {
    let open;
    try {
      open = await crypto.subtle.importKey("pkcs8", der, how, true, ["sign"]);
    } catch {
      continue;
    }
    const jwk = only(await crypto.subtle.exportKey("jwk", open), members);
    const privateKey = await crypto.subtle.importKey("pkcs8", der, how, false, ["sign"]);
    return kept(await checked({ alg, party, jwk, privateKey }));
  }
  throw new Error("unknown");
}

function algorithmOf(jwk) {
  if (jwk.kty === "OKP" && jwk.crv === "Ed25519") return "Ed25519";
  if (jwk.kty === "EC" && jwk.crv === "P-256") return "ES256";
  throw new Error("unknown");
}

function only(jwk, members) {
  return Object.fromEntries(members.map((name) => [name, jwk[name]]));
}

async function checked({ alg, party, jwk, privateKey }) {
  const { make: how, sign } = ALGORITHMS[alg];
  const publicKey = await crypto.subtle.importKey("jwk", jwk, how, true, ["verify"]);
  const signature = await crypto.subtle.sign(sign, privateKey, PROBE);
  if (!(await crypto.subtle.verify(sign, publicKey, signature, PROBE))) throw new Error("halves");
  const kid = base64url(await sha256(bytes(canonical(jwk)))); // RFC 7638
  return { kid, alg, party, jwk, privateKey, made: new Date().toISOString() };
}

// Kept beside the others; which of them signs does not change.
export async function keep(key) {
  const present = await keyOf(key.party);
  await put("keys", key);
  if (present) prefer(present);
}

async function kept(key) {
  await put("keys", key);
  prefer(key);
  return key;
}

// -- signing --------------------------------------------------------------------------------------

// `typ` null: a DCSA manifest, whose header bears none.
export async function sign(key, typ, payload) {
  const header = canonical({ alg: key.alg, kid: key.kid, ...(typ && { typ }) });
  const input = `${base64url(bytes(header))}.${base64url(payload)}`;
  const signature = await crypto.subtle.sign(ALGORITHMS[key.alg].sign, key.privateKey, bytes(input));
  return `${input}.${base64url(signature)}`;
}

export async function signDetached(key, typ, payload) {
  const [header, , signature] = (await sign(key, typ, payload)).split(".");
  return `${header}..${signature}`;
}
