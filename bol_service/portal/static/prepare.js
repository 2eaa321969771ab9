// What an act needs that only this browser can make: digests of a document's bytes, the carrier's
// issuance manifest, a new key with its proof. Each maker completes the payload before it is shown and
// answers what else there is: the `document`; `beforeSigning`, whose answer is added to the details;
// `recorded`, done after; `next`, where to go then.

import { bytes, canonical, hexDigest, base64url, sha256 } from "./jcs.js";
import { digests } from "./document.js";
import { generate, keep, prefer, sign, signDetached } from "./keystore.js";
import { logIn } from "./session.js";

export const MAKERS = { draft, instructions, approval, issue, key: newKey };

async function draft(payload, about) {
  const { value, received, content } = await digests(about.text);
  Object.assign(payload.details, { document: received, contentDigest: content });
  return { document: value, beforeSigning: () => upload("transport-document", about.text, received) };
}

async function instructions(payload, about) {
  const { value, received } = await digests(about.text);
  payload.details.document = received;
  return { document: value, beforeSigning: () => upload("shipping-instructions", about.text, received) };
}

async function approval(payload, about) {
  const answer = await fetch(about.document, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${about.document}: ${answer.status}`);
  const { value, content } = await digests(await answer.text());
  payload.details.contentDigest = content;
  return { document: value };
}

async function issue(payload, about) {
  const { value, received, checksum, content } = await digests(about.text);
  payload.stream = `bill:${checksum}`;
  Object.assign(payload.details, { contentDigest: content, receivedBytes: received });
  const issueToChecksum = await hexDigest(bytes(canonical(payload.details.issueToParty)));
  const manifest = canonical({ documentChecksum: checksum, issueToChecksum });
  return {
    document: value,
    manifest,
    next: `/portal/bills/${checksum}`,
    beforeSigning: async (key) => {
      await upload("transport-document", about.text, received);
      return { issuanceManifestSignedContent: await sign(key, null, bytes(manifest)) };
    },
  };
}

// The private half of a new key is kept before its act is sent: an act that is recorded while its
// answer is lost must not leave a key that nobody holds.
async function newKey(payload, about) {
  const { details } = payload;
  if (!about.alg) return { newKid: await thumbprint(details.key) };
  const made = await generate(about.alg, payload.actor);
  const proof = { key: made.jwk, origin: payload.audience, party: payload.actor, v: 1 };
  details.key = made.jwk;
  details.keyProof = await signDetached(made, "ebl-key-proof+jws", bytes(canonical(proof)));
  const rotated = payload.action === "ROTATE_KEY";
  return {
    newKid: made.kid,
    beforeSigning: () => keep(made),
    recorded: async () => {
      if (!rotated) return;
      prefer(made);
      await logIn(made); // the log-in ended with the key that it was made with
    },
  };
}

const thumbprint = async (jwk) => base64url(await sha256(bytes(canonical(jwk)))); // RFC 7638

async function upload(kind, text, digest) {
  const answer = await fetch(`/portal/documents?kind=${kind}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: text,
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.detail ?? `upload: ${answer.status}`);
  if (told.digest !== digest) throw new Error(`upload: ${told.digest} is not ${digest}`);
}
