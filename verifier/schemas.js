// Reads a JSON value by a schema of the tables. A member is there or null; nothing else may be.
import { fromBase64url } from "./bytes.js";
import { problemOf } from "./identifiers.js";
import { BadKey, readJwk } from "./keys.js";
import { LAW } from "./tables.js";
import { codePoints, hasBlankEnd } from "./text.js";
import { readDay, readInstant, readMoment } from "./time.js";

export class BadMember extends Error {
  constructor(pointer, message) {
    super(`${pointer || "the message"} ${message}`);
    this.pointer = pointer;
  }
}

export function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

// The members of `value` under the names of the law; throws BadMember.
export function readSchema(name, value, pointer = "") {
  if (!isObject(value)) throw new BadMember(pointer, "is not an object");
  const schema = LAW.schemas[name];
  const open = LAW.openSchemas.includes(name);
  for (const member of Object.keys(value)) {
    const known = open || Object.hasOwn(schema, member);
    if (!known) throw new BadMember(`${pointer}/${member}`, "is unknown");
  }
  const read = {};
  for (const [member, rule] of Object.entries(schema)) {
    read[rule.name] = readMember(rule, value, member, `${pointer}/${member}`);
  }
  return read;
}

function readMember(rule, value, member, pointer) {
  if (!(member in value)) {
    if (rule.required) throw new BadMember(pointer, "is missing");
    return rule.default ?? null;
  }
  if (value[member] === null) {
    if (rule.nullable) return null;
    throw new BadMember(pointer, "is null");
  }
  return readValue(rule, value[member], pointer);
}

function readValue(rule, value, pointer) {
  const found = READERS[rule.is](rule, value, pointer);
  if (found === undefined) throw new BadMember(pointer, `is not ${wanted(rule)}`);
  return found;
}

function wanted(rule) {
  return [rule.is, rule.form, rule.choices?.join(" or ")].filter(Boolean).join(" ");
}

function within(rule, size) {
  return size >= (rule.least ?? 0) && (rule.most === undefined || size <= rule.most);
}

function kept(value, holds) {
  return holds ? value : undefined;
}

const patterns = new Map();

function matches(form, text) {
  if (!patterns.has(form)) patterns.set(form, new RegExp(`^(?:${form})$`));
  return patterns.get(form).test(text);
}

const READERS = {
  nested: (rule, value, pointer) => readSchema(rule.schema, value, pointer),
  list: (rule, value, pointer) => {
    if (!Array.isArray(value) || !within(rule, value.length)) return undefined;
    return value.map((item, at) => {
      if (item === null) throw new BadMember(`${pointer}/${at}`, "is null");
      return readValue(rule.of, item, `${pointer}/${at}`);
    });
  },
  object: (rule, value, pointer) => {
    if (!isObject(value)) return undefined;
    if (rule.values === undefined) return value;
    const read = Object.create(null);
    for (const [name, inner] of Object.entries(value)) {
      if (inner === null) throw new BadMember(`${pointer}/${name}`, "is null");
      read[name] = readValue(rule.values, inner, `${pointer}/${name}`);
    }
    return read;
  },
  choice: (rule, value) => kept(value, rule.choices.includes(value)),
  string: (rule, value) => {
    if (typeof value !== "string") return undefined;
    if (rule.choices !== undefined && !rule.choices.includes(value)) return undefined;
    if (rule.most !== undefined && !within(rule, codePoints(value))) return undefined;
    return kept(value, rule.form === undefined || matches(rule.form, value));
  },
  text: (rule, value) =>
    kept(value, typeof value === "string" && within(rule, codePoints(value)) && !hasBlankEnd(value)),
  named: (rule, value) =>
    kept(value, typeof value === "string" && problemOf(rule.form, value) === null),
  secret: (rule, value) => {
    const bytes = typeof value === "string" ? fromBase64url(value) : null;
    return kept(value, bytes !== null && within(rule, bytes.length));
  },
  instant: (_, value) => readInstant(value) ?? undefined,
  moment: (_, value) => (typeof value === "string" ? (readMoment(value) ?? undefined) : undefined),
  day: (_, value) => readDay(value) ?? undefined,
  integer: (rule, value) => kept(value, Number.isInteger(value) && within(rule, value)),
  truth: (_, value) => kept(value, typeof value === "boolean"),
  looseTruth: (rule, value) => {
    if (value === true || rule.true.includes(value)) return true;
    return value === false || rule.false.includes(value) ? false : undefined;
  },
  jwk: (_, value, pointer) => {
    try {
      return readJwk(value);
    } catch (error) {
      if (error instanceof BadKey) throw new BadMember(pointer, error.message);
      throw error;
    }
  },
};
