// The check page. What is shown here is told from the very object that will be signed, and a bill
// is named by its number only after this browser has computed the bill's id from its document.

import { bytes, canonical, hexDigest, randomText } from "./jcs.js";
import { boxesOf, everything, facts as documentFacts, goodsOf } from "./document.js";
import { keyOf, put, remove, sign } from "./keystore.js";
import { MAKERS } from "./prepare.js";
import { deliver } from "./send.js";
import { element, localTime, show, utcTime, words } from "./words.js";

const DRIFT_MS = 5 * 60_000;
const read = (id) => JSON.parse(document.getElementById(id).textContent);

const t = await words();
const payload = read("payload");
const about = read("about");
const sheet = document.getElementById("sheet");
const signButton = document.getElementById("sign");
const names = new Map();
let code = null;
let made = {};
// Members of the details that name a party, alone or in a list.
const PARTIES = ["recipient", "transferTo", "terminal", "issueTo", "shipper", "forwarder", "custodian", "receipt", "rail", "loading", "discharge", "customs", "consignee", "titleHolder", "notify"];

class Stop extends Error {}

try {
  await prepare();
} catch (error) {
  sheet.setAttribute("aria-busy", "false");
  show("act-fault", error instanceof Stop ? error.message : `${t("check.broken")} ${error}`);
}

async function prepare() {
  const key = await requireKey();
  if (about.makesCode) {
    code = randomText(16);
    payload.details.codeHash = await hexDigest(bytes(code));
  }
  if (about.makes) made = await MAKERS[about.makes](payload, about);
  const bill = made.document ?? (await readBill());
  await Promise.all(parties().map(readName));
  sheet.replaceChildren(...tell(bill, key));
  sheet.setAttribute("aria-busy", "false");
  const shown = canonical(payload);
  show("act-sign");
  signButton.addEventListener("click", () => act(key, shown));
}

async function requireKey() {
  if (payload.audience !== about.origin || payload.actor !== about.name) throw new Stop(t("check.wrong_party"));
  const key = await keyOf(about.party);
  if (!key) throw new Stop(t("check.no_key", { party: about.party }));
  return key;
}

// -- what is signed, in words ---------------------------------------------------------------------

async function readBill() {
  const [kind, id] = payload.stream.split(":");
  if (kind !== "bill" || !about.document) return null;
  const answer = await fetch(about.document);
  if (!answer.ok) return null; // not everybody who acts may see the document: then its id is shown
  const text = await answer.text();
  const value = JSON.parse(text);
  if ((await hexDigest(bytes(canonical(value)))) !== id) throw new Stop(t("check.other_document"));
  return value;
}

function parties() {
  const found = [payload.actor, payload.recipient];
  const look = (holder) => {
    for (const [member, value] of Object.entries(holder)) {
      if (value !== null && typeof value === "object" && !Array.isArray(value)) look(value);
      else if (PARTIES.includes(member)) found.push(...[value].flat());
    }
  };
  look(payload.details);
  return [...new Set(found.filter((slug) => typeof slug === "string" && /^[a-z][a-z0-9-]{1,30}$/.test(slug)))];
}

async function readName(slug) {
  if (about.abroad) return names.set(slug, slug); // a name of the other ledger; here it may be somebody else's
  const answer = await fetch(`/v1/parties/${encodeURIComponent(slug)}`);
  if (!answer.ok) return names.set(slug, slug);
  const { legalName, legalNameLocal } = await answer.json();
  const both = legalNameLocal ? [legalName, legalNameLocal] : [legalName];
  if (document.documentElement.dataset.language === "zh") both.reverse();
  return names.set(slug, `${both.join(" · ")} (${slug})`);
}

function tell(bill, key) {
  const number = bill?.transportDocumentReference ?? payload.stream.split(":")[1];
  const name = (slug) => names.get(slug) ?? slug;
  const blanks = {
    actor: name(payload.actor),
    bill: number,
    recipient: name(payload.recipient ?? ""),
    transferTo: name(payload.details.transferTo ?? ""),
    issueTo: name(payload.details.issueTo ?? ""),
    shipper: name(payload.details.shipper ?? ""),
    custodian: name(payload.details.custodian ?? ""),
    leg: t(`leg.${payload.details.leg}`),
    booking: payload.details.carrierBookingReference ?? "",
    instructions: payload.details.shippingInstructionsReference ?? "",
    version: payload.details.version ?? "",
    container: payload.stream.split(":")[2] ?? "",
    party: payload.stream.split(":")[1],
    legalName: payload.details.identity?.legalName ?? "",
  };
  const handedOver = payload.details.transferTo ? t("says.transferTo", blanks) : "";
  const parts = [
    element("p", { class: "says" }, t(`says.${payload.action}`, blanks), handedOver && ` ${handedOver}`),
    facts([
      [t("check.act"), t(`action.${payload.action}`)],
      [t("check.signer"), name(payload.actor)],
      ...(payload.recipient ? [[t("field.recipient"), name(payload.recipient)]] : []),
      ...(made.newKid ? [[t("keys.new_fingerprint"), element("code", { class: "break", id: "new-kid" }, made.newKid)]] : []),
      ...subject(bill),
      ...separable(),
      ...details(payload.details),
      [t("check.at"), time(payload.at)],
      [t("check.place"), t("check.place_text", { sequence: payload.sequence })],
      [t("check.platform"), payload.audience],
      [t("check.key"), element("code", { class: "break" }, key.kid)],
    ]),
  ];
  if (made.document) parts.push(everything(made.document, t));
  for (const [label, text] of made.besides ?? []) parts.push(element("details", {}, element("summary", {}, t(label)), element("pre", { tabindex: "0", class: "break" }, text)));
  if (code) parts.push(secretCode());
  if (Math.abs(Date.now() - Date.parse(payload.at)) > DRIFT_MS) parts.push(element("p", { class: "note amber" }, t("check.clock")));
  parts.push(exactly());
  return parts;
}

function subject(bill) {
  const [kind, id] = payload.stream.split(":");
  if (kind === "party") return id === payload.actor ? [] : [[t("parties.slug"), element("code", {}, id)]];
  if (kind === "custody") return [[t("box.container"), payload.stream.split(":")[2]], [t("check.shipment"), element("code", { class: "break" }, id)]];
  const hash = element("code", { class: "break" }, id);
  if (kind === "draft") return [...(bill ? documentFacts(bill, t) : []), [t("check.shipment"), hash]];
  if (kind !== "bill") return [[t("check.stream"), payload.stream]];
  if (made.document) return [...documentFacts(bill, t), [t("bill.id"), hash]];
  const shortId = element("code", { class: "break" }, id);
  if (!bill) return [[t("bill.id"), shortId], [t("bill.document"), t("check.document_hidden")]];
  return [
    [t("bill.number"), bill.transportDocumentReference],
    [t("box.goods"), goodsOf(bill).join(" · ")],
    [t("check.boxes"), boxesOf(bill).join(", ")],
    [t("bill.id"), element("span", {}, shortId, element("br"), element("small", {}, t("check.computed")))],
  ];
}

// Whether fields of the bill can be disclosed one by one, which is settled for ever when it is issued.
function separable() {
  if (made.fields === undefined) return [];
  return [[t("issue.fields"), made.fields ? t("issue.fields_count", { count: made.fields }) : t("issue.fields_none")]];
}

// Every member of the details has a line, also one that this page has no words for.
function details(value, prefix = "") {
  return Object.entries(value).flatMap(([member, found]) => {
    const path = prefix + member;
    const word = `field.${path.replace(/\.\d+/g, "")}`;
    const label = t(word) === word ? path : t(word);
    if (Array.isArray(found) && found.every((item) => typeof item !== "object")) return [[label, found.map((item) => value_of(member, item)).join(", ")]];
    if (found !== null && typeof found === "object") return details(found, `${path}.`);
    return [[label, value_of(member, found)]];
  });
}

function value_of(member, found) {
  if (typeof found === "boolean") return t(found ? "check.yes" : "check.no");
  const text = String(found);
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text)) return time(text);
  if (names.has(text) && PARTIES.includes(member)) return names.get(text);
  if (member === "roles") return t(`role.${text}`);
  if (member === "leg") return t(`leg.${text}`);
  if (member === "reasonCode") return t(`amendment.${text}`);
  if (/^[0-9a-f]{64}$/.test(text)) return element("code", { class: "break" }, text);
  return text;
}

function time(moment) {
  return element("time", { datetime: moment, title: utcTime(moment) }, localTime(moment));
}

function facts(pairs) {
  const rows = pairs.map(([label, value]) => element("div", {}, element("dt", {}, label), element("dd", {}, value)));
  return element("dl", { class: "facts" }, ...rows);
}

function secretCode() {
  return element("div", { class: "note amber" }, element("p", {}, t("check.code")), element("p", {}, element("code", { class: "secret", id: "release-code" }, code)), element("p", {}, t("check.code_text")));
}

function exactly() {
  const text = JSON.stringify(JSON.parse(canonical(payload)), null, 2);
  return element("details", {}, element("summary", {}, t("check.exact")), element("pre", { tabindex: "0" }, text));
}

// -- signing and sending --------------------------------------------------------------------------

async function act(key, shown) {
  signButton.disabled = true;
  document.getElementById("act-fault").hidden = true;
  try {
    // What was shown is what is signed; signatures and digests of what was shown besides are added.
    const exact = JSON.parse(shown);
    Object.assign(exact.details, await made.beforeSigning?.(key));
    const compact = await sign(key, "ebl-event+jws", bytes(canonical(exact)));
    // Kept until there is an answer: a lost answer is cleared up with these very bytes.
    await put("outbox", { id: payload.id, compact, sent: Date.now(), abroad: about.abroad });
    await answered(compact, await deliver(compact, about.abroad));
  } catch (error) {
    signButton.disabled = false;
    show("act-fault", `${t("check.broken")} ${error}`);
  }
}

async function answered(compact, result) {
  if (result.kind === "unknown") return unknown(compact);
  await remove("outbox", payload.id);
  if (result.kind === "recorded") return recorded(result.receipt);
  document.getElementById("act-sign").hidden = true;
  const { code: refusal, detail } = result.problem;
  return show(
    "act-fault",
    element("h2", {}, t(`refusal.${refusal}`)),
    element("p", { lang: "en" }, detail),
    element("p", {}, element("strong", {}, t("site.next_step")), " ", t(`refusal.${refusal}.next`)),
    element("p", {}, element("a", { href: document.getElementById("act-done").dataset.back }, t("done.on"))),
  );
}

function unknown(compact) {
  const again = element("button", { type: "button" }, t("unsent.send"));
  again.addEventListener("click", async () => {
    again.disabled = true;
    await answered(compact, await deliver(compact, about.abroad));
  });
  show("act-fault", element("p", {}, t("check.unknown")), element("p", {}, again));
}

async function recorded(receipt) {
  await put("receipts", receipt);
  await made.recorded?.();
  // There is no way back any more, and nothing to check.
  for (const past of document.querySelectorAll("#act-sign, main > .crumbs, main > .step")) past.hidden = true;
  const save = download(t("done.receipt"), `receipt-${receipt.index}.json`, JSON.stringify(receipt, null, 1), "application/json");
  const { file } = made;
  const on = element("a", { class: "button", href: back() }, t("done.on"));
  const place = show(
    "act-done",
    element("h2", {}, t("done.title")),
    element("p", {}, t("done.text", { index: receipt.index }), " ", time(receipt.recordedAt)),
    ...(code ? [secretCode()] : []),
    ...(file ? [element("p", {}, t("done.file_text"))] : []),
    element("p", {}, on, " ", save, ...(file ? [" ", download(t("done.file"), file.name, file.text, file.type)] : [])),
  );
  place.focus();
}

function download(label, name, text, type) {
  const href = URL.createObjectURL(new Blob([text], { type }));
  return element("a", { class: "button quiet", href, download: name }, label);
}

function back() {
  return made.next ?? document.getElementById("act-done").dataset.back;
}
