// The objects of a PDF file as they are written (ISO 32000-1, 7.2 and 7.3): as much as it takes to
// find an attachment. A dictionary is a Map, a string its bytes, null and a missing member are null.

const DEEPEST = 60;
const WHITE = new Set([0, 9, 10, 12, 13, 32]);
const DELIMITERS = new Set(Array.from("()<>[]{}/%", (sign) => sign.charCodeAt(0)));
const [LF, CR, ROUND, ROUND_END, SLASH, LESS, GREATER, SQUARE, BACKSLASH, SQUARE_END, PERCENT] = [
  10, 13, 40, 41, 47, 60, 62, 91, 92, 93, 37,
];
const ZERO = 48;
const SHORT = 40;
const ESCAPES = new Map(Array.from("nrtbf", (sign, at) => [sign.charCodeAt(0), [10, 13, 9, 8, 12][at]]));
const latin = new TextDecoder("latin1");

// The file is not what a PDF file is, or more than is read.
export class PdfFault extends Error {}

// The file may be right, but is packed in a way that is not known here.
export class NotUnpacked extends Error {}

export class Name {
  constructor(text) {
    this.text = text;
  }
}

export class Reference {
  constructor(number) {
    this.number = number;
  }
}

// A dictionary with bytes behind it, which begin at `start`.
export class Stream {
  constructor(dictionary, start) {
    Object.assign(this, { dictionary, start });
  }
}

export class Scanner {
  constructor(bytes, at = 0) {
    Object.assign(this, { bytes, at });
  }

  // Over white space and comments.
  skip() {
    for (; this.at < this.bytes.length; this.at++) {
      if (this.bytes[this.at] === PERCENT) this.skipLine();
      else if (!WHITE.has(this.bytes[this.at])) return;
    }
  }

  skipLine() {
    while (this.at + 1 < this.bytes.length && ![LF, CR].includes(this.bytes[this.at + 1])) this.at++;
  }

  // Regular signs up to the next white space or delimiter; perhaps none.
  word() {
    this.skip();
    const start = this.at;
    while (this.at < this.bytes.length && this.isRegular(this.at)) this.at++;
    return written(this.bytes.subarray(start, this.at));
  }

  isRegular(at) {
    return !WHITE.has(this.bytes[at]) && !DELIMITERS.has(this.bytes[at]);
  }

  // Whether `word` comes next; if so, it is passed.
  passes(word) {
    const start = this.at;
    if (this.word() === word) return true;
    this.at = start;
    return false;
  }

  integer() {
    const word = this.word();
    if (!/^[0-9]{1,12}$/.test(word)) throw new PdfFault(`a number is missing at ${this.at}`);
    return Number(word);
  }

  // What follows `12 0 obj`; of another object nothing is read, if `wanted` names one.
  numbered(wanted) {
    const number = this.integer();
    this.integer();
    if (!this.passes("obj")) throw new PdfFault(`no object begins at ${this.at}`);
    if (wanted !== undefined && number !== wanted) {
      throw new PdfFault(`object ${number} stands where ${wanted} should`);
    }
    const value = this.value();
    return value instanceof Map && this.passes("stream") ? this.stream(value) : value;
  }

  stream(dictionary) {
    if (this.bytes[this.at] === CR) this.at++;
    if (this.bytes[this.at] === LF) this.at++;
    return new Stream(dictionary, this.at);
  }

  value(depth = 0) {
    if (depth > DEEPEST) throw new PdfFault(`objects lie deeper than ${DEEPEST} in each other`);
    this.skip();
    const [first, second] = [this.bytes[this.at], this.bytes[this.at + 1]];
    if (first === SLASH) return this.name();
    if (first === LESS && second === LESS) return this.dictionary(depth);
    if (first === LESS) return this.digits();
    if (first === ROUND) return this.text();
    if (first === SQUARE) return this.array(depth);
    return this.plain();
  }

  name() {
    this.at++;
    const start = this.at;
    while (this.at < this.bytes.length && this.isRegular(this.at)) this.at++;
    const text = written(this.bytes.subarray(start, this.at));
    return new Name(text.replace(/#([0-9A-Fa-f]{2})/g, (_, pair) => String.fromCharCode(parseInt(pair, 16))));
  }

  dictionary(depth) {
    this.at += 2;
    const members = new Map();
    for (;;) {
      this.skip();
      if (this.bytes[this.at] === GREATER && this.bytes[this.at + 1] === GREATER) break;
      if (this.bytes[this.at] !== SLASH) throw new PdfFault(`a dictionary is broken at ${this.at}`);
      members.set(this.name().text, this.value(depth + 1));
    }
    this.at += 2;
    return members;
  }

  array(depth) {
    this.at++;
    const items = [];
    for (;;) {
      this.skip();
      if (this.bytes[this.at] === SQUARE_END) break;
      items.push(this.value(depth + 1));
    }
    this.at++;
    return items;
  }

  // <48 65 6C>
  digits() {
    const end = this.bytes.indexOf(GREATER, this.at);
    if (end < 0) throw new PdfFault("a string has no end");
    const text = latin.decode(this.bytes.subarray(this.at + 1, end)).replace(/[\0\t\n\f\r ]/g, "");
    if (!/^[0-9A-Fa-f]*$/.test(text)) throw new PdfFault(`a string is broken at ${this.at}`);
    this.at = end + 1;
    const pairs = (text.length % 2 ? `${text}0` : text).match(/../g) ?? [];
    return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
  }

  // (Hel(l)o\051)
  text() {
    const found = [];
    this.at++;
    for (let open = 1; ; this.at++) {
      const byte = this.bytes[this.at];
      if (byte === undefined) throw new PdfFault("a string has no end");
      if (byte === ROUND) open++;
      if (byte === ROUND_END && --open === 0) break;
      if (byte === BACKSLASH) this.escaped(found);
      else found.push(byte);
    }
    this.at++;
    return Uint8Array.from(found);
  }

  escaped(found) {
    const byte = this.bytes[++this.at];
    if (isOctal(byte)) {
      found.push(this.octal());
    } else if (byte === CR || byte === LF) {
      if (byte === CR && this.bytes[this.at + 1] === LF) this.at++;
    } else {
      found.push(ESCAPES.get(byte) ?? byte ?? BACKSLASH);
    }
  }

  // One to three digits; ends on the last of them.
  octal() {
    let value = this.bytes[this.at] - ZERO;
    for (let more = 0; more < 2 && isOctal(this.bytes[this.at + 1]); more++) {
      value = value * 8 + this.bytes[++this.at] - ZERO;
    }
    return value & 255;
  }

  // A number, a reference, or one of three words.
  plain() {
    const start = this.at;
    const word = this.word();
    if (word === "" || word === "endobj") throw new PdfFault(`no object begins at ${start}`);
    if (word === "true" || word === "false") return word === "true";
    if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$/.test(word)) return null; // so is what is no word at all
    if (!/^[0-9]{1,10}$/.test(word)) return Number(word);
    const after = this.at;
    if (/^[0-9]{1,5}$/.test(this.word()) && this.passes("R")) return new Reference(Number(word));
    this.at = after;
    return Number(word);
  }
}

function isOctal(byte) {
  return byte >= ZERO && byte < ZERO + 8;
}

function written(bytes) {
  return bytes.length < SHORT ? String.fromCharCode(...bytes) : latin.decode(bytes);
}

// Text strings are UTF-16 or UTF-8 where they say so; of all others, ASCII is all that matters here.
export function textOf(bytes) {
  const [first, second, third] = bytes;
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes.subarray(2));
  if (first === 0xef && second === 0xbb && third === 0xbf) return new TextDecoder().decode(bytes.subarray(3));
  return latin.decode(bytes);
}
