// The log-in page: the keys of this browser, one button each.

import { all } from "./keystore.js";
import { logIn } from "./session.js";
import { element, show, words } from "./words.js";

const t = await words();
const list = document.getElementById("login-keys");
const keys = window.isSecureContext ? await all("keys") : [];

if (!window.isSecureContext) show("login-fault", t("login.insecure"));
if (!keys.length) show("login-none");

for (const key of keys) {
  const button = element("button", { type: "button" }, t("login.as", { party: key.party }));
  button.addEventListener("click", () => enter(key, button));
  const about = element("span", {}, `${t("keys.fingerprint")} `, element("code", { class: "break" }, key.kid));
  list.append(element("li", {}, button, about));
}

async function enter(key, button) {
  button.disabled = true;
  const fault = await logIn(key).catch((error) => String(error));
  if (!fault) return location.assign(list.dataset.next);
  button.disabled = false;
  show("login-fault", element("p", {}, t("login.refused")), element("p", { lang: "en" }, fault), element("p", {}, t("login.refused_next")));
}
