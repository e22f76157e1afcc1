// xxHash64 of short texts, in two 32-bit halves: a BigInt per key would cost more than the choice of the endpoint. The layouts
// of ring hash and Maglev are made of it, so that a key goes where Envoy would send it. Must not know endpoints.
// Source: the xxHash specification, section XXH64.

/** 64 bits; both halves 0 to 2³² - 1. */
export interface Hash64 {
  hi: number;
  lo: number;
}

const PRIME1_HI = 0x9e3779b1;
const PRIME1_LO = 0x85ebca87;
const PRIME2_HI = 0xc2b2ae3d;
const PRIME2_LO = 0x27d4eb4f;
const PRIME3_HI = 0x165667b1;
const PRIME3_LO = 0x9e3779f9;
const PRIME4_HI = 0x85ebca77;
const PRIME4_LO = 0xc2b2ae63;
const PRIME5_HI = 0x27d4eb2f;
const PRIME5_LO = 0x165667c5;

/** The accumulator: both halves as signed 32-bit numbers. Nothing waits while a hash is made, so one is enough. */
let hi = 0;
let lo = 0;
/** The four lanes of a text of 32 bytes or more: hi, lo, hi, lo, … */
const lanes = new Int32Array(8);

/** Writes the hash of the text into `into`. A character is a byte, as in a header; a text with wider ones is taken as UTF-8. */
export function xxHash64(text: string, into: Hash64, seedHi: number = 0, seedLo: number = 0): void {
  const bytes = isNarrow(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
  const length = bytes.length;
  let at = 0;
  if (length >= 32) {
    at = hashBlocks(bytes, seedHi, seedLo);
  } else {
    hi = seedHi | 0;
    lo = seedLo | 0;
    add(PRIME5_HI, PRIME5_LO);
  }
  add(0, length);
  hashRest(bytes, at);
  avalanche();
  into.hi = hi >>> 0;
  into.lo = lo >>> 0;
}

function isNarrow(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}

/** All whole blocks of 32 bytes. Gives where the rest begins. */
function hashBlocks(bytes: string, seedHi: number, seedLo: number): number {
  startLanes(seedHi, seedLo);
  let at = 0;
  for (const end = bytes.length - 32; at <= end; at += 32) {
    for (let lane = 0; lane < 8; lane += 2) {
      hi = lanes[lane] as number;
      lo = lanes[lane + 1] as number;
      round(read32(bytes, at + lane * 4 + 4), read32(bytes, at + lane * 4));
      lanes[lane] = hi;
      lanes[lane + 1] = lo;
    }
  }
  let sumHi = 0;
  let sumLo = 0;
  for (let lane = 0; lane < 8; lane += 2) {
    hi = lanes[lane] as number;
    lo = lanes[lane + 1] as number;
    rotate(lane === 0 ? 1 : lane === 2 ? 7 : lane === 4 ? 12 : 18);
    add(sumHi, sumLo);
    sumHi = hi;
    sumLo = lo;
  }
  for (let lane = 0; lane < 8; lane += 2) {
    mix(lanes[lane] as number, lanes[lane + 1] as number);
    multiply(PRIME1_HI, PRIME1_LO);
    add(PRIME4_HI, PRIME4_LO);
  }
  return at;
}

function startLanes(seedHi: number, seedLo: number): void {
  for (let lane = 0; lane < 8; lane += 2) {
    hi = seedHi | 0;
    lo = seedLo | 0;
    if (lane === 0) add(PRIME1_HI, PRIME1_LO);
    if (lane <= 2) add(PRIME2_HI, PRIME2_LO);
    // Less PRIME1: plus its complement and one.
    if (lane === 6) add(~PRIME1_HI, (~PRIME1_LO + 1) | 0);
    lanes[lane] = hi;
    lanes[lane + 1] = lo;
  }
}

/** What is left after the blocks: by eight bytes, by four, by one. */
function hashRest(bytes: string, from: number): void {
  let at = from;
  for (; at + 8 <= bytes.length; at += 8) {
    mix(read32(bytes, at + 4), read32(bytes, at));
    rotate(27);
    multiply(PRIME1_HI, PRIME1_LO);
    add(PRIME4_HI, PRIME4_LO);
  }
  if (at + 4 <= bytes.length) {
    mixProduct(read32(bytes, at), PRIME1_HI, PRIME1_LO);
    rotate(23);
    multiply(PRIME2_HI, PRIME2_LO);
    add(PRIME3_HI, PRIME3_LO);
    at += 4;
  }
  for (; at < bytes.length; at++) {
    mixProduct(bytes.charCodeAt(at), PRIME5_HI, PRIME5_LO);
    rotate(11);
    multiply(PRIME1_HI, PRIME1_LO);
  }
}

function avalanche(): void {
  // >>> 33, >>> 29, >>> 32 of 64 bits.
  lo ^= hi >>> 1;
  multiply(PRIME2_HI, PRIME2_LO);
  const low = (lo >>> 29) | (hi << 3);
  hi ^= hi >>> 29;
  lo ^= low;
  multiply(PRIME3_HI, PRIME3_LO);
  lo ^= hi;
}

function read32(bytes: string, at: number): number {
  return bytes.charCodeAt(at) | (bytes.charCodeAt(at + 1) << 8) | (bytes.charCodeAt(at + 2) << 16) | (bytes.charCodeAt(at + 3) << 24);
}

/** One round: the accumulator is a lane. */
function round(inputHi: number, inputLo: number): void {
  const laneHi = hi;
  const laneLo = lo;
  hi = inputHi;
  lo = inputLo;
  multiply(PRIME2_HI, PRIME2_LO);
  add(laneHi, laneLo);
  rotate(31);
  multiply(PRIME1_HI, PRIME1_LO);
}

/** Exclusive or with a round of the input over an empty lane. */
function mix(inputHi: number, inputLo: number): void {
  const beforeHi = hi;
  const beforeLo = lo;
  hi = 0;
  lo = 0;
  round(inputHi, inputLo);
  hi ^= beforeHi;
  lo ^= beforeLo;
}

/** Exclusive or with a 32-bit number times a prime. */
function mixProduct(input: number, primeHi: number, primeLo: number): void {
  const beforeHi = hi;
  const beforeLo = lo;
  hi = 0;
  lo = input | 0;
  multiply(primeHi, primeLo);
  hi ^= beforeHi;
  lo ^= beforeLo;
}

function add(otherHi: number, otherLo: number): void {
  const sum = (lo >>> 0) + (otherLo >>> 0);
  hi = (hi + otherHi + (sum > 0xffffffff ? 1 : 0)) | 0;
  lo = sum | 0;
}

/** To the left, by 1 to 31. */
function rotate(by: number): void {
  const high = (hi << by) | (lo >>> (32 - by));
  lo = (lo << by) | (hi >>> (32 - by));
  hi = high;
}

/** The low 64 bits of the product. */
function multiply(otherHi: number, otherLo: number): void {
  const a = lo & 0xffff;
  const b = lo >>> 16;
  const c = otherLo & 0xffff;
  const d = otherLo >>> 16;
  const ac = Math.imul(a, c) >>> 0;
  // Each partial product is below 2³²; their sum with a carry of 16 bits stays exact in a double.
  const middle = (Math.imul(b, c) >>> 0) + (ac >>> 16);
  const cross = (Math.imul(a, d) >>> 0) + (middle & 0xffff);
  const carry = (Math.imul(b, d) >>> 0) + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000);
  hi = (Math.imul(hi, otherLo) + Math.imul(lo, otherHi) + carry) | 0;
  lo = (cross << 16) | (ac & 0xffff);
}
