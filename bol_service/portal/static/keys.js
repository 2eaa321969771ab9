// The keys of this browser: make, import, forget, prove to the operator.

import { bytes, canonical } from "./jcs.js";
import { all, fromJwk, fromPkcs8, make, remove, signDetached } from "./keystore.js";
import { open } from "./pkcs8.js";
import { facts } from "./session.js";
import { element, localTime, show, words } from "./words.js";

const t = await words();
const fault = (key) => show("keys-fault", t(key));

if (!window.isSecureContext) fault("login.insecure");
else await Promise.all([list(), offerAlgorithms()]);

// Browsers that cannot make Ed25519 keys are offered ES256 alone.
async function offerAlgorithms() {
  const can = await crypto.subtle.generateKey("Ed25519", false, ["sign"]).then(() => true, () => false);
  if (!can) document.querySelector("#make-alg option[value=Ed25519]").remove();
}

async function list() {
  const keys = await all("keys");
  document.getElementById("keys-none").hidden = keys.length > 0;
  const rows = await Promise.all(keys.map(row));
  document.getElementById("keys-list").replaceChildren(...rows);
}

async function row(key) {
  const known = await registered(key);
  const state = known ? t("keys.registered") : t("keys.not_registered");
  const enter = element("a", { class: "button", href: "/portal/log-in" }, t("site.log_in"));
  const prove = element("button", { type: "button" }, t("keys.prove"));
  prove.addEventListener("click", () => openRegistration(key));
  const bring = element("button", { type: "button", class: "quiet" }, t("keys.bring"));
  bring.addEventListener("click", () => openBringing(key));
  const forget = element("button", { type: "button", class: "quiet" }, t("keys.forget"));
  forget.addEventListener("click", () => askForget(key, forget));
  return element(
    "li",
    {},
    element("strong", {}, key.party),
    element("span", {}, `${state} · ${key.alg} · ${t("keys.made")} ${localTime(key.made)}`),
    element("code", { class: "break" }, key.kid),
    element("span", { class: "row" }, known ? enter : prove, ...(known ? [] : [bring]), forget),
  );
}

async function registered(key) {
  const answer = await fetch(`/v1/parties/${encodeURIComponent(key.party)}`);
  if (!answer.ok) return false;
  return (await answer.json()).keys.some((one) => one.kid === key.kid && !one.endedAt);
}

// Asked twice in place: a key that is forgotten is gone for ever.
async function askForget(key, button) {
  if (button.dataset.sure) {
    await remove("keys", key.kid);
    return list();
  }
  button.dataset.sure = "yes";
  button.textContent = t("keys.forget_sure");
}

async function done(key) {
  document.getElementById("keys-fault").hidden = true;
  show("keys-done", t("keys.kept", { party: key.party }), " ", element("code", { class: "break" }, key.kid));
  await list();
  if (!(await registered(key))) openRegistration(key);
}

document.getElementById("make-key").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  try {
    await done(await make(form.get("alg"), form.get("party")));
  } catch {
    fault("keys.no_key");
  }
});

const FAULTS = { locked: "keys.locked", passphrase: "keys.wrong_passphrase", cipher: "keys.cipher", public: "keys.public_only", halves: "keys.halves" };

document.getElementById("import-key").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  try {
    const { jwk, der } = await open(form.get("file"), form.get("secret"));
    const key = jwk ? await fromJwk(jwk, form.get("party")) : await fromPkcs8(der, form.get("party"));
    event.target.reset();
    await done(key);
  } catch (error) {
    fault(FAULTS[error.message] ?? "keys.not_a_key");
  }
});

// -- registration ---------------------------------------------------------------------------------

function openRegistration(key) {
  const form = document.getElementById("register-form");
  form.elements.kid.value = key.kid;
  document.getElementById("register-kid").textContent = key.kid;
  document.getElementById("register-done").hidden = true;
  show("register").scrollIntoView({ block: "start" });
}

// A key of a party that is registered already is added by that party itself, from a browser that
// holds a key that counts; this is what to carry there.
async function openBringing(key) {
  const { origin } = await facts();
  const proof = { key: key.jwk, origin, party: key.party, v: 1 };
  const keyProof = await signDetached(key, "ebl-key-proof+jws", bytes(canonical(proof)));
  document.getElementById("bring-proof").value = JSON.stringify({ party: key.party, key: key.jwk, keyProof }, null, 1);
  show("bring").scrollIntoView({ block: "start" });
}

document.getElementById("register-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const text = (name) => form.get(name).normalize("NFC").trim().replace(/\s+/g, " ");
  const key = (await all("keys")).find((one) => one.kid === form.get("kid"));
  const identity = {
    country: text("country"),
    identifiers: [{ type: form.get("type"), value: text("value") }],
    legalName: text("legalName"),
    ...(text("legalNameLocal") && { legalNameLocal: text("legalNameLocal") }),
  };
  const { origin } = await facts();
  const proof = { identity, key: key.jwk, origin, party: key.party, v: 1 };
  const keyProof = await signDetached(key, "ebl-key-proof+jws", bytes(canonical(proof)));
  const asked = JSON.stringify({ party: key.party, identity, key: key.jwk, keyProof }, null, 1);
  document.getElementById("register-proof").value = asked;
  const file = document.getElementById("register-file");
  file.href = URL.createObjectURL(new Blob([asked], { type: "application/json" }));
  file.download = `${key.party}.registration.json`;
  document.getElementById("register-sent").replaceChildren();
  document.getElementById("register-send").disabled = false;
  show("register-done");
});

document.getElementById("register-send").addEventListener("click", async (event) => {
  event.target.disabled = true;
  const body = document.getElementById("register-proof").value;
  const place = document.getElementById("register-sent");
  const answer = await fetch("/portal/registrations", { method: "POST", headers: { "Content-Type": "application/json" }, body }).catch(() => null);
  const told = await answer?.json().catch(() => ({}));
  if (answer?.ok) return place.replaceChildren(element("a", { href: told.page }, t("register.sent")));
  event.target.disabled = false;
  return place.replaceChildren(t("register.not_sent"), " ", element("span", { lang: "en" }, told?.detail ?? ""));
});

// Nothing can be pressed before it is listened to: a browser that sent the form by itself would put
// a passphrase where it must never be.
for (const fields of document.querySelectorAll("[data-scripted]")) fields.disabled = false;
