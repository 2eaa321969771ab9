// Logging in: a client assertion signed by the party's key (RFC 7523), exchanged for a cookie that
// scripts cannot read. The assertion names the time and audience that the platform tells.

import { bytes, canonical, randomText } from "./jcs.js";
import { prefer, sign } from "./keystore.js";

export const facts = async () => (await fetch("/portal/session", { cache: "no-store" })).json();

// -> null, or the platform's own words why not.
export async function logIn(key) {
  const { audience, now } = await facts();
  const claims = { aud: audience, exp: now + 60, iat: now, iss: key.party, jti: randomText(18), sub: key.party };
  const assertion = await sign(key, "client-authentication+jwt", bytes(canonical(claims)));
  const answer = await fetch("/portal/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ assertion }),
  });
  if (!answer.ok) return answer.headers.get("Content-Type")?.includes("json") ? (await answer.json()).detail : String(answer.status);
  const { expiresIn } = await answer.json();
  localStorage.setItem(`ebl-until-${key.party}`, String(Date.now() + expiresIn * 1000));
  prefer(key);
  return null;
}

export const until = (party) => Number(localStorage.getItem(`ebl-until-${party}`) ?? 0);
