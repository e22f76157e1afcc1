// Rules by the prefix of what they want: all whose prefix a text begins with are met in one walk along the text.
import type { Call } from '../core/call.ts';
import type { CallMatch } from './match.ts';

interface Branch {
  /** What stands between the branch above and this one. */
  text: string;
  /** Places of rules, in ascending order. */
  readonly rules: number[];
  readonly below: Map<number, Branch>;
}

/** The first of the rules that matches, when it comes before `best`; else `best`. */
export function firstMatch(rules: readonly number[], tests: readonly CallMatch[], call: Call, best: number): number {
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i] as number;
    if (rule >= best) return best;
    if ((tests[rule] as CallMatch)(call)) return rule;
  }
  return best;
}

export class PrefixTree {
  readonly #root: Branch = { text: '', rules: [], below: new Map() };

  /** Rules must come in ascending order. */
  add(prefix: string, rule: number): void {
    let branch = this.#root;
    for (let at = 0; at < prefix.length; ) {
      const next = branch.below.get(prefix.charCodeAt(at));
      if (next === undefined) {
        const leaf: Branch = { text: prefix.slice(at), rules: [], below: new Map() };
        branch.below.set(prefix.charCodeAt(at), leaf);
        branch = leaf;
        break;
      }
      let length = 1;
      while (length < next.text.length && next.text[length] === prefix[at + length]) length++;
      branch = length === next.text.length ? next : parted(branch, next, length);
      at += length;
    }
    if (branch.rules.at(-1) !== rule) branch.rules.push(rule);
  }

  first(text: string, tests: readonly CallMatch[], call: Call, best: number): number {
    let found = best;
    let branch: Branch | undefined = this.#root;
    for (let at = 0; branch !== undefined && text.startsWith(branch.text, at); ) {
      found = firstMatch(branch.rules, tests, call, found);
      at += branch.text.length;
      branch = branch.below.size === 0 ? undefined : branch.below.get(text.charCodeAt(at));
    }
    return found;
  }
}

/** A new branch between the two, up to where a new text parts from the lower one. */
function parted(above: Branch, below: Branch, length: number): Branch {
  const middle: Branch = { text: below.text.slice(0, length), rules: [], below: new Map() };
  above.below.set(below.text.charCodeAt(0), middle);
  below.text = below.text.slice(length);
  middle.below.set(below.text.charCodeAt(0), below);
  return middle;
}
