// The operator refuses an application for registration. It is no entry of the ledger, and signed all
// the same: the applicant can show who refused it and why.

import { bytes, canonical } from "./jcs.js";
import { keyOf, sign } from "./keystore.js";
import { element, localTime, show, words } from "./words.js";

const t = await words();
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const [payload, about] = [read("payload"), read("about")];
const sheet = document.getElementById("sheet");
const button = document.getElementById("sign");

const key = await keyOf(about.party).catch(() => null);
sheet.setAttribute("aria-busy", "false");
if (!key) show("act-fault", t("check.no_key", { party: about.party }));
else offer();

function offer() {
  const shown = canonical(payload);
  const rows = [
    [t("check.act"), t("action.REFUSE_REGISTRATION")],
    [t("check.signer"), about.party],
    [t("parties.slug"), payload.party],
    [t("field.reason"), payload.reason],
    [t("check.at"), localTime(payload.at)],
    [t("check.platform"), payload.origin],
    [t("check.key"), key.kid],
  ].map(([label, value]) => element("div", {}, element("dt", {}, label), element("dd", {}, value)));
  sheet.replaceChildren(
    element("p", { class: "says" }, t("says.REFUSE_REGISTRATION", { party: payload.party })),
    element("dl", { class: "facts" }, ...rows),
    element("details", {}, element("summary", {}, t("check.exact")), element("pre", { tabindex: "0" }, JSON.stringify(payload, null, 2))),
  );
  show("act-sign");
  button.addEventListener("click", () => refuse(shown));
}

async function refuse(shown) {
  button.disabled = true;
  document.getElementById("act-fault").hidden = true;
  try {
    const compact = await sign(key, "ebl-registration-refusal+jws", bytes(shown));
    const answer = await fetch(about.send, { method: "POST", headers: { "Content-Type": "application/jose" }, body: compact });
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail ?? answer.status);
    document.getElementById("act-sign").hidden = true;
    const place = document.getElementById("act-done");
    show("act-done", element("h2", {}, t("registration.refused")), element("p", {}, element("a", { class: "button", href: place.dataset.back }, t("done.on"))));
    place.focus();
  } catch (error) {
    button.disabled = false;
    show("act-fault", `${t("check.broken")} ${error.message}`);
  }
}
