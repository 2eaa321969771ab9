// A PDF file from anybody: its table of objects, and the bytes of its streams.
//
// 1. The tables are read from the end of the file backwards, the newest first; a file whose tables
//    do not lead to its root is searched for objects instead, as all readers do.
// 2. Objects, their depth, and what is read and unpacked are bounded by what no honest file has.
// 3. Nothing is drawn, run or followed to another place; encrypted files are not opened.
import { inflate } from "./inflate.js";
import { Name, NotUnpacked, PdfFault, Reference, Scanner, Stream } from "./pdf_objects.js";
import { unpredicted } from "./pdf_rows.js";

const MOST_OBJECTS = 500_000;
const MOST_UNPACKED = 60_000_000;
const MOST_READ = 200_000_000;
const MOST_TABLES = 100;
const MOST_FILTERS = 5;
const latin = new TextDecoder("latin1");

export class PdfFile {
  constructor(bytes) {
    Object.assign(this, { bytes, objects: new Map(), opening: new Set(), left: MOST_UNPACKED, read: 0 });
    if (!this.hasRoot(() => this.readTables()) && !this.hasRoot(() => this.search())) {
      throw new PdfFault("the PDF cannot be read");
    }
  }

  hasRoot(read) {
    Object.assign(this, { places: new Map(), trailer: new Map() });
    this.objects.clear();
    try {
      read();
      if (this.trailer.has("Encrypt")) return true;
      return this.root() instanceof Map;
    } catch (error) {
      if (error instanceof PdfFault) return false;
      throw error;
    }
  }

  root() {
    return this.get(this.trailer.get("Root"));
  }

  get isEncrypted() {
    return (this.trailer.get("Encrypt") ?? null) !== null;
  }

  // -- tables -------------------------------------------------------------------------------------

  readTables() {
    const end = latin.decode(this.bytes.subarray(-2048));
    const [, last] = /^[^]*startxref\s+([0-9]{1,12})/.exec(end) ?? [];
    if (last === undefined) throw new PdfFault("the PDF has no end");
    const waiting = [Number(last)];
    for (const seen = new Set(); waiting.length > 0; ) {
      const place = waiting.shift();
      if (seen.has(place)) continue;
      if (seen.size === MOST_TABLES) throw new PdfFault(`the PDF has more than ${MOST_TABLES} tables`);
      seen.add(place);
      const trailer = this.readTable(place);
      for (const [name, value] of trailer) if (!this.trailer.has(name)) this.trailer.set(name, value);
      waiting.push(...["XRefStm", "Prev"].map((name) => trailer.get(name)).filter(Number.isInteger));
    }
  }

  // The table at `place`, into `places`; its trailer.
  readTable(place) {
    return this.scan(this.bytes, place, (scanner) => {
      if (scanner.passes("xref")) return this.readOldTable(scanner);
      const value = scanner.numbered();
      if (!(value instanceof Stream)) throw new PdfFault(`there is no table at ${place}`);
      this.readPackedTable(value);
      return value.dictionary;
    });
  }

  readOldTable(scanner) {
    while (!scanner.passes("trailer")) {
      const [first, count] = [scanner.integer(), scanner.integer()];
      for (let number = first; number < first + count; number++) {
        const [at] = [scanner.integer(), scanner.integer()];
        if (scanner.word() === "n") this.note(number, { at });
        else this.note(number, null);
      }
    }
    const trailer = scanner.value();
    if (!(trailer instanceof Map)) throw new PdfFault("the PDF has no trailer");
    return trailer;
  }

  readPackedTable(stream) {
    const { dictionary } = stream;
    const widths = numbers(dictionary.get("W"));
    if (widths.length !== 3 || widths.some((width) => width > 8)) throw new PdfFault("a table is broken");
    const sections = numbers(dictionary.get("Index") ?? [0, dictionary.get("Size")]);
    const data = this.data(stream, MOST_UNPACKED);
    let at = 0;
    const field = (width, usual) => {
      if (width === 0) return usual;
      let value = 0;
      for (const end = at + width; at < end; at++) value = value * 256 + data[at];
      return value;
    };
    for (let pair = 0; pair + 1 < sections.length; pair += 2) {
      for (let number = sections[pair]; number < sections[pair] + sections[pair + 1]; number++) {
        if (at >= data.length) return;
        const [kind, second, third] = [field(widths[0], 1), field(widths[1], 0), field(widths[2], 0)];
        this.note(number, kind === 1 ? { at: second } : kind === 2 ? { inside: second, index: third } : null);
      }
    }
  }

  // The newest table is read first, and what it says stays.
  note(number, place) {
    if (this.places.size >= MOST_OBJECTS) throw new PdfFault(`the PDF has more than ${MOST_OBJECTS} objects`);
    if (!this.places.has(number)) this.places.set(number, place);
  }

  // -- without tables -----------------------------------------------------------------------------

  // The last object of each number counts, and the last trailer that names a root.
  search() {
    const text = latin.decode(this.bytes);
    for (const { index, 1: before, 2: number } of text.matchAll(/(^|[^0-9])([0-9]{1,10})\s+[0-9]{1,5}\s+obj\b/g)) {
      if (this.places.size >= MOST_OBJECTS) throw new PdfFault(`the PDF has more than ${MOST_OBJECTS} objects`);
      this.places.set(Number(number), { at: index + before.length });
    }
    const trailers = Array.from(text.matchAll(/\btrailer\b/g), ({ index }) => index + "trailer".length);
    for (const at of trailers.slice(-MOST_TABLES)) this.searchTrailer(at);
    for (const number of [...this.places.keys()]) this.searchPacked(number);
  }

  searchTrailer(at) {
    const trailer = orNull(() => this.scan(this.bytes, at, (scanner) => scanner.value()));
    if (trailer instanceof Map && trailer.has("Root")) this.trailer = trailer;
  }

  // A table that is a stream is a trailer as well; a stream of objects has them inside.
  searchPacked(number) {
    if (this.read > MOST_READ) throw new PdfFault(`the PDF has more than ${MOST_READ} bytes of objects`);
    const found = orNull(() => this.object(number));
    if (!(found instanceof Stream)) return;
    const { dictionary } = found;
    if (isNamed(dictionary.get("Type"), "XRef") && dictionary.has("Root")) this.trailer = dictionary;
    if (!isNamed(dictionary.get("Type"), "ObjStm")) return;
    const inside = orNull(() => this.packed(number)) ?? { numbers: [] };
    inside.numbers.forEach((known, index) => this.note(known, { inside: number, index }));
  }

  // -- objects ------------------------------------------------------------------------------------

  // What `value` refers to, or itself.
  get(value) {
    for (let hops = 0; value instanceof Reference; hops++) {
      if (hops > 20) throw new PdfFault("references run in a circle");
      value = this.object(value.number);
    }
    return value ?? null;
  }

  // The member of a dictionary, or of a stream's; null where there is none.
  member(holder, name) {
    const dictionary = holder instanceof Stream ? holder.dictionary : holder;
    return dictionary instanceof Map ? this.get(dictionary.get(name)) : null;
  }

  object(number) {
    if (this.objects.has(number)) return this.objects.get(number);
    const place = this.places.get(number) ?? null;
    if (place === null || this.opening.has(number)) return null;
    this.opening.add(number);
    try {
      const value = place.inside === undefined ? this.objectAt(number, place.at) : this.objectInside(place);
      this.objects.set(number, value);
      return value;
    } finally {
      this.opening.delete(number);
    }
  }

  objectAt(number, at) {
    return this.scan(this.bytes, at, (scanner) => scanner.numbered(number));
  }

  // Objects may be written into each other, each as long as the file: what is read is counted.
  scan(bytes, at, read) {
    if (this.read > MOST_READ) throw new PdfFault(`the PDF has more than ${MOST_READ} bytes of objects`);
    const scanner = new Scanner(bytes, at);
    try {
      return read(scanner);
    } finally {
      this.read += scanner.at - at;
    }
  }

  objectInside({ inside, index }) {
    const { data, first, offsets } = this.packed(inside);
    if (offsets[index] === undefined) throw new PdfFault(`object stream ${inside} has no item ${index}`);
    return this.scan(data, first + offsets[index], (scanner) => scanner.value());
  }

  // An object stream: what is in it and where.
  packed(number) {
    const key = `packed ${number}`;
    if (this.objects.has(key)) return this.objects.get(key);
    const stream = this.object(number);
    if (!(stream instanceof Stream)) throw new PdfFault(`object stream ${number} is none`);
    const [count, first] = ["N", "First"].map((name) => this.member(stream, name));
    if (!(count <= MOST_OBJECTS && first >= 0)) throw new PdfFault(`object stream ${number} is broken`);
    const data = this.data(stream, MOST_UNPACKED);
    const scanner = new Scanner(data);
    const found = { data, first, numbers: [], offsets: [] };
    for (let at = 0; at < count; at++) {
      found.numbers.push(scanner.integer());
      found.offsets.push(scanner.integer());
    }
    this.objects.set(key, found);
    return found;
  }

  // -- streams ------------------------------------------------------------------------------------

  // The bytes of a stream, unpacked; no more than one over `limit`.
  data(stream, limit) {
    const filters = listed(this.member(stream, "Filter"));
    const parameters = listed(this.member(stream, "DecodeParms"));
    if (filters.length > MOST_FILTERS) throw new PdfFault(`a stream has more than ${MOST_FILTERS} filters`);
    let bytes = this.raw(stream);
    filters.forEach((filter, at) => {
      bytes = this.unpacked(bytes, this.get(filter), this.get(parameters[at]), limit);
    });
    return bytes;
  }

  raw(stream) {
    const length = this.member(stream, "Length");
    const end = stream.start + length;
    if (Number.isInteger(length) && length >= 0 && end <= this.bytes.length) {
      if (new Scanner(this.bytes, end).passes("endstream")) return this.bytes.subarray(stream.start, end);
    }
    const found = indexOf(this.bytes, "endstream", stream.start);
    this.read += (found < 0 ? this.bytes.length : found) - stream.start;
    if (found < 0) throw new PdfFault("a stream has no end");
    return this.bytes.subarray(stream.start, found);
  }

  unpacked(bytes, filter, parameters, limit) {
    const name = filter instanceof Name ? filter.text : "";
    if (name === "ASCIIHexDecode") return new Scanner(framed("<", bytes)).digits();
    if (name !== "FlateDecode") throw new NotUnpacked(`the PDF is packed by ${name || "an unknown filter"}`);
    const found = inflate(bytes, Math.min(limit + 1, this.left));
    this.left -= found.length;
    if (this.left <= 0) throw new PdfFault(`the PDF unpacks to more than ${MOST_UNPACKED} bytes`);
    return unpredicted(found, (member, usual) => this.member(parameters, member) ?? usual);
  }
}

function framed(sign, bytes) {
  const whole = new Uint8Array(bytes.length + 2);
  whole.set(bytes, 1);
  whole[0] = sign.charCodeAt(0);
  whole[bytes.length + 1] = ">".charCodeAt(0);
  return whole;
}

function listed(value) {
  if (value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function numbers(value) {
  if (!Array.isArray(value) || !value.every((item) => Number.isInteger(item) && item >= 0)) {
    throw new PdfFault("a table is broken");
  }
  return value;
}

function isNamed(value, name) {
  return value instanceof Name && value.text === name;
}

function indexOf(bytes, word, from) {
  const signs = Array.from(word, (sign) => sign.charCodeAt(0));
  for (let at = bytes.indexOf(signs[0], from); at >= 0; at = bytes.indexOf(signs[0], at + 1)) {
    if (signs.every((sign, place) => bytes[at + place] === sign)) return at;
  }
  return -1;
}

function orNull(read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof PdfFault || error instanceof NotUnpacked) return null;
    throw error;
  }
}
