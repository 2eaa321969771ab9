// JSON that has one meaning for every reader (RFC 7493), in the two profiles of crypto/strictjson.py.
//
// 1. `parseEvent`: no number with a fraction or an exponent, no minus zero.
// 2. `parseDocument`: doubles too, if the literal is exactly its double's shortest form.
//
// Both refuse: bytes that are not UTF-8, a byte order mark, a member named twice, numbers beyond
// 2^53-1, NUL, lone surrogates, too many levels, anything after the value. Objects come without a
// prototype, so that no member name means anything to the language.
import { fromUtf8 } from "./bytes.js";
import { LAW } from "./tables.js";

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const BLANK = /[ \t\n\r]*/y;
const UNUSABLE = /[\u{0}\u{d800}-\u{dfff}]/u;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

export class BadJson extends Error {}

export function parseEvent(bytes) {
  return new Reader(textOf(bytes), eventNumber, LAW.limits.eventDepth).whole();
}

export function parseDocument(bytes) {
  return new Reader(textOf(bytes), documentNumber, LAW.limits.documentDepth).whole();
}

function textOf(bytes) {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new BadJson("starts with a byte order mark; send plain UTF-8");
  }
  try {
    return fromUtf8(bytes);
  } catch {
    throw new BadJson("not UTF-8");
  }
}

class Reader {
  constructor(text, number, deepest) {
    Object.assign(this, { text, number, deepest, at: 0, depth: 0 });
  }

  whole() {
    const value = this.value();
    this.blank();
    if (this.at !== this.text.length) this.bad("something follows the value");
    return value;
  }

  bad(why) {
    throw new BadJson(`not JSON: ${why} at character ${this.at}`);
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at = pattern.lastIndex;
    return found;
  }

  blank() {
    this.match(BLANK);
  }

  take(sign) {
    this.blank();
    if (this.text[this.at] !== sign) return false;
    this.at += 1;
    return true;
  }

  value() {
    this.blank();
    const sign = this.text[this.at];
    if (sign === "{") return this.nested(() => this.object());
    if (sign === "[") return this.nested(() => this.array());
    if (sign === '"') return this.string();
    for (const [word, value] of [["true", true], ["false", false], ["null", null]]) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    const found = this.match(NUMBER);
    if (found === null) this.bad("a value is expected");
    return this.number(found[0], found[1] !== undefined || found[2] !== undefined);
  }

  nested(read) {
    this.depth += 1;
    if (this.depth > this.deepest) throw new BadJson(`nested deeper than ${this.deepest} levels`);
    this.at += 1;
    const value = read();
    this.depth -= 1;
    return value;
  }

  object() {
    const value = Object.create(null);
    if (this.take("}")) return value;
    do {
      this.blank();
      if (this.text[this.at] !== '"') this.bad("a member name is expected");
      const name = this.string();
      if (name in value) throw new BadJson(`member ${JSON.stringify(name)} given twice`);
      if (!this.take(":")) this.bad("a colon is expected");
      value[name] = this.value();
    } while (this.take(","));
    if (!this.take("}")) this.bad("a comma or } is expected");
    return value;
  }

  array() {
    const value = [];
    if (this.take("]")) return value;
    do value.push(this.value());
    while (this.take(","));
    if (!this.take("]")) this.bad("a comma or ] is expected");
    return value;
  }

  string() {
    this.at += 1;
    let value = this.match(PLAIN)[0];
    while (this.text[this.at] === "\\") {
      value += this.escape();
      value += this.match(PLAIN)[0];
    }
    if (this.text[this.at] !== '"') this.bad("a text does not end, or holds a control character");
    this.at += 1;
    if (UNUSABLE.test(value)) throw new BadJson("text holds NUL or half of a surrogate pair");
    return value;
  }

  escape() {
    const sign = this.text[this.at + 1];
    if (sign === "u") {
      const digits = this.text.slice(this.at + 2, this.at + 6);
      if (!/^[0-9A-Fa-f]{4}$/.test(digits)) this.bad("\\u needs four hexadecimal digits");
      this.at += 6;
      return String.fromCharCode(parseInt(digits, 16));
    }
    if (!Object.hasOwn(ESCAPES, sign ?? "")) this.bad("an unknown escape");
    this.at += 2;
    return ESCAPES[sign];
  }
}

function integer(literal) {
  const value = Number(literal);
  if (literal.length > 17 || !Number.isSafeInteger(value)) {
    throw new BadJson("a number is beyond 2^53-1; send it as a decimal string");
  }
  return value === 0 ? 0 : value;
}

function eventNumber(literal, isFraction) {
  if (isFraction) throw new BadJson(`number ${literal.slice(0, 40)} has a fraction or an exponent`);
  if (literal === "-0") throw new BadJson("number -0; write 0");
  return integer(literal);
}

function documentNumber(literal, isFraction) {
  if (!isFraction) return integer(literal);
  const value = literal.length <= LAW.limits.numberLength ? Number(literal) : Infinity;
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw new BadJson("a number is too long or beyond 2^53-1");
  }
  if (plain(literal) !== plain(String(value))) {
    throw new BadJson(`number ${literal.slice(0, 40)} is not what a double keeps of it (${value})`);
  }
  return value;
}

// The one spelling of a decimal number's value: significant digits and a power of ten.
function plain(literal) {
  const [, sign, whole, fraction = "", exponent = "0"] =
    /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([-+]?[0-9]+))?$/.exec(literal);
  if (exponent.replace(/^[-+]?0*/, "").length > 18) return null; // no decimal library holds it
  const digits = (whole + fraction).replace(/^0+/, "");
  const kept = digits.replace(/0+$/, "");
  if (kept === "") return "0";
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - kept.length);
  return `${sign}${kept}e${power}`;
}
