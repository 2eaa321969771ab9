// On every page: times in the reader's own zone, the log-in kept alive while the page is open, and
// acts that were sent but never answered.

import { all, keyOf, remove, put } from "./keystore.js";
import { logIn, until } from "./session.js";
import { localTime, show, words } from "./words.js";
import { deliver } from "./send.js";

const CORRIDOR_MINUTES = -480; // the server writes times at UTC+8
const LOOK_MS = 15_000;
const RENEW_MS = 90_000;

function tellTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = time.getAttribute("datetime");
    if (new Date(at).getTimezoneOffset() !== CORRIDOR_MINUTES) time.textContent = localTime(at);
  }
}

tellTimes(document);
// A page that nobody looks at asks for nothing.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden) event.preventDefault();
});
// A part of a page is renewed by the same part of a new one and by nothing else: what a proxy or a
// hotel's log-in page answers instead is no answer.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!detail.shouldSwap || detail.xhr.responseText.includes(`id="${detail.target.id}"`)) return;
  detail.shouldSwap = false;
  detail.isError = true;
});
document.addEventListener("htmx:afterSettle", (event) => tellTimes(event.target.parentNode ?? document));

const party = document.body.dataset.party;
if (party) {
  const look = async () => {
    const left = until(party) - Date.now();
    if (left > RENEW_MS) return;
    const key = await keyOf(party).catch(() => null);
    const fault = key ? await logIn(key).catch((error) => String(error)) : "no key";
    if (fault && left <= 0) show("session-ended");
    if (!fault) document.getElementById("session-ended").hidden = true;
  };
  look();
  setInterval(look, LOOK_MS);
}

const waiting = await all("outbox").catch(() => []);
const mine = waiting.filter((row) => row.sent !== undefined && Date.now() - row.sent > 5000);
if (mine.length) {
  show("unsent");
  document.getElementById("send-again").addEventListener("click", async () => {
    const t = await words();
    const results = [];
    for (const row of mine) {
      const result = await deliver(row.compact, row.abroad);
      if (result.kind !== "unknown") await remove("outbox", row.id);
      if (result.kind === "recorded") await put("receipts", result.receipt);
      results.push(result.kind === "recorded" ? t("unsent.recorded") : result.kind === "refused" ? t(`refusal.${result.problem.code}`) : t("check.unknown"));
    }
    document.getElementById("unsent-result").textContent = results.join(" · ");
  });
}
