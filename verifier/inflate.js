// What zlib has packed (RFC 1950, RFC 1951), as PDF's FlateDecode has it.
//
// Own arithmetic: the browser's unpacks to the end however large that is, gives nothing of what
// came before a fault, and refuses a line feed behind the end, which many PDF files have. What is
// wrong with a file ends the unpacking; whether what came out is whole is for signatures to say.

const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCES = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LONGEST_CODE = 15;
const END = 256;
const ZLIB_HEADER = 2;

class Fault extends Error {}

// At most `limit` bytes, and as many as there are before the first fault.
export function inflate(packed, limit) {
  const out = new Output(limit);
  try {
    unpack(new Bits(packed, ZLIB_HEADER), out);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
  }
  return out.bytes.subarray(0, out.size);
}

function unpack(bits, out) {
  for (let last = 0; !last; ) {
    last = bits.take(1);
    const kind = bits.take(2);
    if (kind === 3) throw new Fault();
    if (kind === 0) stored(bits, out);
    else coded(bits, out, ...(kind === 1 ? FIXED : written(bits)));
  }
}

function stored(bits, out) {
  const size = bits.rest();
  for (let at = 0; at < size; at++) out.put(bits.byte());
}

function coded(bits, out, literals, distances) {
  for (;;) {
    const sign = literals.read(bits);
    if (sign === END) return;
    if (sign < END) {
      out.put(sign);
      continue;
    }
    const row = sign - END - 1;
    if (row >= LENGTHS.length) throw new Fault();
    const length = LENGTHS[row] + bits.take(LENGTH_BITS[row]);
    const far = distances.read(bits);
    if (far >= DISTANCES.length) throw new Fault();
    out.repeat(length, DISTANCES[far] + bits.take(DISTANCE_BITS[far]));
  }
}

// The two codes that a block brings along.
function written(bits) {
  const [literals, distances, count] = [bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4];
  const sizes = new Array(ORDER.length).fill(0);
  for (let at = 0; at < count; at++) sizes[ORDER[at]] = bits.take(3);
  const code = new Code(sizes);
  const lengths = [];
  while (lengths.length < literals + distances) {
    const sign = code.read(bits);
    if (sign < 16) lengths.push(sign);
    else if (sign === 16 && lengths.length === 0) throw new Fault();
    else if (sign === 16) again(lengths, lengths.at(-1), 3 + bits.take(2));
    else again(lengths, 0, sign === 17 ? 3 + bits.take(3) : 11 + bits.take(7));
  }
  return [new Code(lengths.slice(0, literals)), new Code(lengths.slice(literals, literals + distances))];
}

function again(lengths, value, times) {
  for (let time = 0; time < times; time++) lengths.push(value);
}

// A canonical Huffman code: how many signs have each length, and the signs in their order.
class Code {
  constructor(lengths) {
    this.counts = new Uint16Array(LONGEST_CODE + 1);
    for (const length of lengths) this.counts[length]++;
    this.counts[0] = 0;
    const next = new Uint16Array(LONGEST_CODE + 2);
    for (let length = 1; length <= LONGEST_CODE; length++) {
      next[length + 1] = next[length] + this.counts[length];
    }
    this.signs = new Uint16Array(lengths.length);
    lengths.forEach((length, sign) => {
      if (length > 0) this.signs[next[length]++] = sign;
    });
  }

  read(bits) {
    let [code, first, index] = [0, 0, 0];
    for (let length = 1; length <= LONGEST_CODE; length++) {
      code |= bits.take(1);
      const count = this.counts[length];
      if (code - first < count) return this.signs[index + code - first];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new Fault();
  }
}

const FIXED = [
  new Code(Array.from({ length: 288 }, (_, sign) => (sign < 144 ? 8 : sign < 256 ? 9 : sign < 280 ? 7 : 8))),
  new Code(new Array(30).fill(5)),
];

class Bits {
  constructor(bytes, at) {
    Object.assign(this, { bytes, at, held: 0, count: 0 });
  }

  byte() {
    if (this.at >= this.bytes.length) throw new Fault();
    return this.bytes[this.at++];
  }

  // The next `count` bits, at most 13, the first one lowest.
  take(count) {
    while (this.count < count) {
      this.held |= this.byte() << this.count;
      this.count += 8;
    }
    const taken = this.held & ((1 << count) - 1);
    this.held >>>= count;
    this.count -= count;
    return taken;
  }

  // The size of a stored block, from the next whole byte on.
  rest() {
    this.held = this.count = 0;
    const [low, high, notLow, notHigh] = [this.byte(), this.byte(), this.byte(), this.byte()];
    if ((low ^ notLow) !== 255 || (high ^ notHigh) !== 255) throw new Fault();
    return low | (high << 8);
  }
}

class Output {
  constructor(limit) {
    Object.assign(this, { limit, size: 0, bytes: new Uint8Array(Math.min(limit, 65536)) });
  }

  put(byte) {
    if (this.size === this.bytes.length) this.grow();
    this.bytes[this.size++] = byte;
  }

  grow() {
    if (this.size >= this.limit) throw new Fault();
    const larger = new Uint8Array(Math.min(this.limit, this.size * 2));
    larger.set(this.bytes);
    this.bytes = larger;
  }

  repeat(length, distance) {
    if (distance > this.size) throw new Fault();
    for (let at = 0; at < length; at++) this.put(this.bytes[this.size - distance]);
  }
}
