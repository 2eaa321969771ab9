// SHA-256, SHA-384 and SHA-512 (FIPS 180-4), so that nothing but arithmetic is needed to hash.
//
// The constants are the fractional bits of the square and cube roots of the first primes, and are
// computed as such instead of being written down.

const MASK = (1n << 64n) - 1n;

function primes(count) {
  const found = [];
  for (let candidate = 2n; found.length < count; candidate += 1n) {
    if (found.every((prime) => candidate % prime !== 0n)) found.push(candidate);
  }
  return found;
}

// The largest integer whose `power`th power is at most `of`.
function root(of, power) {
  let low = 0n;
  let high = 1n << 80n;
  while (low < high - 1n) {
    const middle = (low + high) / 2n;
    if (middle ** power <= of) low = middle;
    else high = middle;
  }
  return low;
}

const PRIMES = primes(80);
const ROOTS = PRIMES.slice(0, 8).map((prime) => root(prime << 128n, 2n) & MASK);
// SHA-384 begins with the roots of the ninth to sixteenth prime.
const LATER_ROOTS = PRIMES.slice(8, 16).map((prime) => root(prime << 128n, 2n) & MASK);
const CUBE_ROOTS = PRIMES.map((prime) => root(prime << 192n, 3n) & MASK);
const H256 = ROOTS.map((word) => Number(word >> 32n));
const K256 = CUBE_ROOTS.slice(0, 64).map((word) => Number(word >> 32n));

function padded(bytes, block) {
  const lengthSize = block / 8;
  const blocks = Math.ceil((bytes.length + 1 + lengthSize) / block);
  const whole = new Uint8Array(blocks * block);
  whole.set(bytes);
  whole[bytes.length] = 0x80;
  new DataView(whole.buffer).setBigUint64(whole.length - 8, BigInt(bytes.length) * 8n);
  return whole;
}

export function sha256(bytes) {
  const state = Int32Array.from(H256);
  const words = new Int32Array(64);
  const whole = padded(bytes, 64);
  const view = new DataView(whole.buffer);
  for (let start = 0; start < whole.length; start += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(start + 4 * i);
    compress256(state, words);
  }
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => out.setInt32(4 * i, word));
  return new Uint8Array(out.buffer);
}

function compress256(state, words) {
  for (let i = 16; i < 64; i++) {
    const x = words[i - 15];
    const y = words[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[i] = (words[i - 16] + s0 + words[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K256[i] + words[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    state[i] = (state[i] + word) | 0;
  });
}

export function sha512(bytes) {
  return long(bytes, ROOTS);
}

export function sha384(bytes) {
  return long(bytes, LATER_ROOTS).subarray(0, 48);
}

function long(bytes, first) {
  let state = first;
  const whole = padded(bytes, 128);
  const view = new DataView(whole.buffer);
  for (let start = 0; start < whole.length; start += 128) {
    const words = Array.from({ length: 16 }, (_, i) => view.getBigUint64(start + 8 * i));
    state = compress512(state, words);
  }
  const out = new DataView(new ArrayBuffer(64));
  state.forEach((word, i) => out.setBigUint64(8 * i, word));
  return new Uint8Array(out.buffer);
}

function turn(word, by) {
  return ((word >> by) | (word << (64n - by))) & MASK;
}

function compress512(state, words) {
  for (let i = 16; i < 80; i++) {
    const x = words[i - 15];
    const y = words[i - 2];
    const s0 = turn(x, 1n) ^ turn(x, 8n) ^ (x >> 7n);
    const s1 = turn(y, 19n) ^ turn(y, 61n) ^ (y >> 6n);
    words.push((words[i - 16] + s0 + words[i - 7] + s1) & MASK);
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 80; i++) {
    const s1 = turn(e, 14n) ^ turn(e, 18n) ^ turn(e, 41n);
    const t1 = h + s1 + ((e & f) ^ ((e ^ MASK) & g)) + CUBE_ROOTS[i] + words[i];
    const s0 = turn(a, 28n) ^ turn(a, 34n) ^ turn(a, 39n);
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) & MASK, c, b, a, (t1 + t2) & MASK];
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + state[i]) & MASK);
}
