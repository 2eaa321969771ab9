// Names and numbers of the trade and their check digits; each problem is a sentence, or null.
import { LAW } from "./tables.js";

const { forms, usccSymbols, originLength } = LAW.identifiers;
const PATTERNS = new Map(
  Object.entries(forms).map(([name, form]) => [name, new RegExp(`^(?:${form})$`)]),
);

function hasForm(value, form) {
  return PATTERNS.get(form).test(value);
}

// `form` is a name in the tables; containers, LEI and USCC have a check digit too.
export function problemOf(form, value) {
  if (!hasForm(value, form)) return `${value} has not the form of a ${form}`;
  const wanted = CHECKS[form]?.(value);
  if (wanted === undefined || value.endsWith(wanted)) return null;
  return `${value} should end in ${wanted}, its check digit`;
}

const CHECKS = {
  container: (value) => {
    const total = Array.from(value.slice(0, 10)).reduce(
      (sum, sign, place) => sum + containerValue(sign) * 2 ** place,
      0,
    );
    return String((total % 11) % 10);
  },
  LEI: (value) => {
    const digits = Array.from(value.slice(0, 18), (sign) => parseInt(sign, 36)).join("");
    return String(98n - (BigInt(`${digits}00`) % 97n)).padStart(2, "0");
  },
  USCC: (value) => {
    let [total, weight] = [0, 1];
    for (const sign of value.slice(0, 17)) {
      total += usccSymbols.indexOf(sign) * weight;
      weight = (weight * 3) % 31;
    }
    return usccSymbols[(31 - (total % 31)) % 31];
  },
};

function containerValue(sign) {
  const value = parseInt(sign, 36);
  return value > 9 ? value + Math.floor((value - 1) / 10) : value;
}

// Whether a party is named as one of another platform: `CODE:slug`.
export function isForeign(name) {
  return name.includes(":");
}

export function platformOf(name) {
  return name.split(":")[0];
}

export function originProblem(origin) {
  if (!hasForm(origin, "origin")) return `${origin} is not an origin such as cq.example/ebl`;
  return Array.from(origin).length > originLength ? "the origin is too long" : null;
}

// {kind, party | shipment | bill, container?}, or null for what names no stream.
export function parseStream(text) {
  const [kind, first, second, ...more] = text.split(":");
  if (more.length > 0 || first === undefined) return null;
  if (kind === "custody") {
    const known = hasForm(first, "shipment") && problemOf("container", second ?? "") === null;
    return known ? { kind, shipment: first, container: second } : null;
  }
  if (second !== undefined) return null;
  if (kind === "bill" && hasForm(first, "bill")) return { kind, bill: first };
  if (kind === "draft" && hasForm(first, "shipment")) return { kind, shipment: first };
  if (kind === "party" && hasForm(first, "slug")) return { kind, party: first };
  return null;
}
