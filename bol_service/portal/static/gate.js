// The gate desk without a new page: an answer that no longer belongs to the number in the field must
// not stay on the screen, least of all a RELEASE. While the platform is asked, and when it gives no
// answer, the page says so.

import { element } from "./words.js";

const box = document.getElementById("container");

function place() {
  return document.getElementById("answer");
}

function nothing() {
  const { refused, silent } = place().dataset;
  const sign = element("span", { "aria-hidden": "true" }, "✕ ");
  place().replaceChildren(
    element("section", { class: "verdict red" }, element("h2", {}, sign, refused), element("p", {}, silent)),
  );
}

document.addEventListener("htmx:beforeRequest", () => {
  place().replaceChildren(element("p", { class: "hint" }, place().dataset.asking));
});
for (const fault of ["sendError", "timeout", "responseError"]) document.addEventListener(`htmx:${fault}`, nothing);
document.addEventListener("htmx:afterSettle", () => box.select());
