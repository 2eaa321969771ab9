// Opening the key files of `bol keys` and OpenSSL in the browser: PKCS#8 in PEM, in the clear or
// encrypted by PBES2 (RFC 8018) with PBKDF2-HMAC-SHA-2 and AES-CBC. A JWK is taken too.

const OIDS = {
  "2a864886f70d01050d": "PBES2",
  "2a864886f70d01050c": "PBKDF2",
  "2a864886f70d0207": "SHA-1",
  "2a864886f70d0209": "SHA-256",
  "2a864886f70d020a": "SHA-384",
  "2a864886f70d020b": "SHA-512",
  "608648016503040102": 128,
  "608648016503040116": 192,
  "60864801650304012a": 256,
};
const MAX_BYTES = 65536;
const MAX_ROUNDS = 10_000_000;

// -> {jwk} or {der}; throws Error with a word that the page explains.
export async function open(file, passphrase) {
  if (file.size > MAX_BYTES) throw new Error("unknown");
  const text = await file.text();
  if (text.trimStart().startsWith("{")) return { jwk: JSON.parse(text) };
  const found = /-----BEGIN (ENCRYPTED )?PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text);
  if (!found) throw new Error("unknown");
  const der = Uint8Array.from(atob(found[2].replace(/\s/g, "")), (letter) => letter.charCodeAt(0));
  if (!found[1]) return { der };
  if (!passphrase) throw new Error("locked");
  return { der: await decrypt(der, passphrase) };
}

async function decrypt(der, passphrase) {
  const [[scheme, [derivation, cipher]], sealed] = children(read(der, 0)).map(tree);
  const [kdf, [salt, rounds, ...more]] = derivation;
  const [bits, iv] = cipher;
  if (oid(scheme) !== "PBES2" || oid(kdf) !== "PBKDF2" || !Number.isInteger(oid(bits))) throw new Error("cipher");
  const prf = more.find(Array.isArray);
  const hash = prf ? oid(prf[0]) : "SHA-1";
  const iterations = rounds.reduce((sum, byte) => sum * 256 + byte, 0);
  if (!String(hash).startsWith("SHA") || iterations > MAX_ROUNDS) throw new Error("cipher");
  const secret = await crypto.subtle.importKey("raw", new TextEncoder().encode(passphrase), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", salt, iterations, hash };
  const key = await crypto.subtle.deriveKey(how, secret, { name: "AES-CBC", length: oid(bits) }, false, ["decrypt"]);
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CBC", iv }, key, sealed));
  } catch {
    throw new Error("passphrase");
  }
}

// -- DER, as much of it as these files use: nested sequences of short values ----------------------

function read(data, at) {
  let size = data[at + 1];
  let start = at + 2;
  if (size & 0x80) {
    const count = size & 0x7f;
    if (count > 3) throw new Error("unknown");
    size = data.slice(start, start + count).reduce((sum, byte) => sum * 256 + byte, 0);
    start += count;
  }
  if (!Number.isInteger(size) || start + size > data.length) throw new Error("unknown");
  return { tag: data[at], value: data.slice(start, start + size), end: start + size };
}

function children({ value }) {
  const found = [];
  for (let at = 0; at < value.length; ) {
    const item = read(value, at);
    found.push(item);
    at = item.end;
  }
  return found;
}

function tree(item) {
  return item.tag === 0x30 ? children(item).map(tree) : item.value;
}

function oid(value) {
  const text = Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return OIDS[text] ?? text;
}
