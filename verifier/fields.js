// Disclosed fields for people: what each is called, and its value line by line.
import { stepsOf } from "./disclosure.js";
import { isObject } from "./schemas.js";

const NUMBER = /^[0-9]+$/;
// They only hold others, and say nothing to a person unless they stand alone.
const SILENT = ["documentParties", "transports"];
const NAMED = { consignmentItems: "goods", utilizedTransportEquipments: "container" };
const UNITS = { KGM: "kg", LBR: "lb", MTQ: "m³", FTQ: "ft³" };

// In the order of a document's own numbers: the tenth container after the ninth.
export function inOrder(fields) {
  const { compare } = new Intl.Collator("en", { numeric: true });
  return [...fields].sort((a, b) => compare(a.pointer, b.pointer));
}

// "Goods 1 › Gross weight"; entries of a list are counted from one.
export function fieldName(pointer, words) {
  const steps = stepsOf(pointer);
  const said = [];
  steps.forEach((step, at) => {
    if (NUMBER.test(step) && said.length > 0) said.push(`${said.pop()} ${Number(step) + 1}`);
    else if (!SILENT.includes(step) || at === steps.length - 1) said.push(memberName(step, words));
  });
  return said.join(" › ");
}

function memberName(step, words) {
  return words.law("members", NAMED[step] ?? step);
}

// One line for each plain value, told by the names of what it stands in, and for each entry of a list.
export function fieldLines(value, words) {
  if (Array.isArray(value)) return linesOfList(value, words);
  if (!isObject(value)) return [plain(value, words)];
  if (isQuantity(value)) return [`${value.value} ${UNITS[value.unit] ?? value.unit}`];
  return Object.entries(value).flatMap(([name, inner]) =>
    fieldLines(inner, words).map((line) => `${memberName(name, words)}: ${line}`),
  );
}

function linesOfList(list, words) {
  const isPlain = (one) => one === null || typeof one !== "object";
  if (list.every(isPlain)) return list.map((one) => plain(one, words));
  return list.map((one, at) => `${at + 1}. ${fieldLines(one, words).join("; ")}`);
}

function isQuantity(value) {
  return Object.keys(value).sort().join() === "unit,value" && typeof value.value === "number" && typeof value.unit === "string";
}

function plain(value, words) {
  if (typeof value === "boolean") return words.say("page", value ? "yes" : "no");
  return value === null ? "–" : String(value);
}
