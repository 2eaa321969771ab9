// What an act needs that only this browser can make: digests of a document's bytes, the carrier's
// issuance manifest and its commitment to each field, a new key with its proof. Each maker completes
// the payload before it is shown and answers what else there is: the `document`; `besides`, what is
// signed with the same click; `fields`, how many can be disclosed alone; `beforeSigning`, whose answer
// is added to the details; `recorded`, done after; `next`, where to go then; `file`, what to keep.

import { bytes, canonical, hexDigest, base64url, sha256 } from "./jcs.js";
import { MEDIA_TYPE, TYPE, committed, fullFile } from "./commitment.js";
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
  const who = { carrier: payload.actor, origin: payload.audience, at: payload.at };
  const fields = about.pieces.length ? await committed(value, checksum, about.pieces, who) : null;
  const made = {
    document: value,
    besides: [["check.manifest", manifest]],
    fields: about.pieces.length,
    next: `/portal/bills/${checksum}`,
    beforeSigning: async (key) => {
      await upload("transport-document", about.text, received);
      const manifestSigned = { issuanceManifestSignedContent: await sign(key, null, bytes(manifest)) };
      return fields ? { ...manifestSigned, disclosure: await commit(key) } : manifestSigned;
    },
  };
  // The platform has the salts before there is a bill that needs them, and the carrier is given them too.
  const commit = async (key) => {
    const signed = await sign(key, TYPE, bytes(fields.payload));
    const digest = await hexDigest(bytes(signed));
    const full = fullFile(signed, fields.texts);
    await upload("disclosure", full, digest, MEDIA_TYPE);
    made.file = { name: `${checksum.slice(0, 16)}-all.sdjwt`, text: `${full}\n`, type: MEDIA_TYPE };
    return digest;
  };
  if (fields) made.besides.push(["check.commitment_signed", fields.payload]);
  return made;
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

async function upload(kind, text, digest, type = "application/json") {
  const answer = await fetch(`/portal/documents?kind=${kind}`, {
    method: "POST",
    headers: { "Content-Type": type },
    body: text,
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.detail ?? `upload: ${answer.status}`);
  if (told.digest !== digest) throw new Error(`upload: ${told.digest} is not ${digest}`);
}
