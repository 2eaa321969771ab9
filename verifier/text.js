// Which text a party may sign: what it sees is what the bytes say.
import { LAW } from "./tables.js";

// The inside of a character class for half-open ranges of code points.
export function rangeClass(ranges) {
  return ranges.map(([from, to]) => `\\u{${from.toString(16)}}-\\u{${(to - 1).toString(16)}}`).join("");
}

const REFUSED = new RegExp(`[${rangeClass(LAW.text.refused)}]`, "u");
const BLANK = new RegExp(`^[${rangeClass(LAW.text.blank)}]`, "u");
const BLANK_AT_END = new RegExp(`[${rangeClass(LAW.text.blank)}]$`, "u");
const ASCII = /^[\u0020-\u007e]*$/;

export function codePoints(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

export function hasBlankEnd(text) {
  return BLANK.test(text) || BLANK_AT_END.test(text);
}

// What is wrong with a text, or null.
export function textProblem(text) {
  if (ASCII.test(text)) return null;
  if (REFUSED.test(text)) return "text holds a character that hides or reorders; remove it";
  if (text.normalize(LAW.text.normalForm) !== text) return "text is not in Unicode form NFC";
  return null;
}

// The first problem of any text or member name of a JSON value, or null.
export function textProblemWithin(value) {
  if (typeof value === "string") return textProblem(value);
  if (value === null || typeof value !== "object") return null;
  for (const [name, inner] of Object.entries(value)) {
    const problem = (Array.isArray(value) ? null : textProblem(name)) ?? textProblemWithin(inner);
    if (problem !== null) return problem;
  }
  return null;
}
