// Draws by key: the same key has the same target in every process, while the weights stand; when they change, keys move
// only towards targets whose weight grew more. Weighted rendezvous hashing: each target scores -weight / ln(u), u from
// key and target, and the highest score has the key. Must not know calls.

export interface StickyTarget {
  /** The same in every process; decides, with the key, where the key goes. */
  readonly name: string;
  /** Above 0. */
  readonly weight: number;
}

/** Index of the target that has the key, given as `hashOf` of it. */
export function stickyDraw(targets: readonly StickyTarget[]): (keyHash: number) => number {
  const weights = Float64Array.from(targets, (target) => target.weight);
  const salts = Int32Array.from(targets, (target, index) => {
    // Two targets of one name must not share their luck.
    const twins = targets.slice(0, index).filter((other) => other.name === target.name).length;
    return hashOf(`${target.name}#${twins}`);
  });
  return (keyHash) => {
    let drawn = 0;
    let best = -1;
    for (let i = 0; i < weights.length; i++) {
      const chance = ((mixed(keyHash ^ (salts[i] as number)) >>> 0) + 0.5) / 4_294_967_296;
      const score = -(weights[i] as number) / Math.log(chance);
      if (score > best) {
        best = score;
        drawn = i;
      }
    }
    return drawn;
  };
}

/** FNV-1a over the UTF-16 units of a part of the text, with a finaliser, since FNV alone spreads short keys badly. */
export function hashOf(text: string, start: number = 0, end: number = text.length): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mixed(hash);
}

/** MurmurHash3's 32-bit finaliser. */
function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
