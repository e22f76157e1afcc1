// The word that was probably meant, for "did you mean". Pure.

/**
 * The candidate nearest to a mistyped word: same letters but for case, `-` and `_`, else at most two edits
 * (one for words of three and four letters, none for shorter ones); undefined when none is near.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const plain = fold(word);
  const most = word.length <= 2 ? 0 : word.length <= 4 ? 1 : 2;
  let best: string | undefined;
  let bestDistance = most + 1;
  for (const candidate of candidates) {
    if (fold(candidate) === plain) return candidate;
    if (Math.abs(candidate.length - word.length) > most) continue;
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function fold(word: string): string {
  return word.replace(/[-_]/g, '').toLowerCase();
}

/** Damerau-Levenshtein, optimal string alignment: insert, delete, replace, swap of neighbours. */
export function editDistance(a: string, b: string): number {
  const width = b.length + 1;
  let beforeLast: number[] = [];
  let last: number[] = Array.from({ length: width }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row: number[] = [i];
    for (let j = 1; j < width; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, (last[j - 1] as number) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (beforeLast[j - 2] as number) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] as number;
}
