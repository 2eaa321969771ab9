// RFC 8785 canonical JSON, digests, base64url. ECMAScript writes numbers as RFC 8785 wants them and
// sorts strings by UTF-16 code units, so little remains to be done.

const encoder = new TextEncoder();

export function canonical(value) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new Error(`${value} is no JSON number`);
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new Error(`${value} is too large`);
    return JSON.stringify(value);
  }
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new Error("a text holds a lone surrogate");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${canonical(name)}:${canonical(value[name])}`).join(",")}}`;
}

export const bytes = (text) => encoder.encode(text);

export function base64url(data) {
  let text = "";
  for (const byte of new Uint8Array(data)) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export async function sha256(data) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

export async function hexDigest(data) {
  return Array.from(await sha256(data), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function randomText(size) {
  return base64url(crypto.getRandomValues(new Uint8Array(size)));
}
