// Keys in the party's name that this browser does not know: neither kept here, nor told before to
// be ours. A key that somebody else added shows itself by this, whatever else the thief can do.

import { all } from "./keystore.js";

const party = document.body.dataset.party;
const store = `ebl-seen-${party}`;
const seen = () => new Set(JSON.parse(localStorage.getItem(store) ?? "[]"));

const held = (await all("keys").catch(() => [])).filter((key) => key.party === party).map((key) => key.kid);
const rows = [...document.querySelectorAll("[data-kid]")];

function look() {
  const known = new Set([...seen(), ...held]);
  const unseen = rows.filter((row) => !known.has(row.dataset.kid));
  for (const row of rows) mark(row, unseen.includes(row));
  document.getElementById("unseen").hidden = unseen.length === 0;
}

function mark(row, isUnseen) {
  for (const part of row.querySelectorAll(".unseen, .ours")) part.hidden = !isUnseen;
}

for (const row of rows) {
  row.querySelector(".ours")?.addEventListener("click", () => {
    localStorage.setItem(store, JSON.stringify([...seen(), row.dataset.kid]));
    look();
    row.querySelector("a")?.focus();
  });
}

look();
