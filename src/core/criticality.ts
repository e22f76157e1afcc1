// How much a call matters, from the word to the index that a call carries.
import { CRITICALITIES, type Criticality } from '../model/traffic.ts';

/** Throws a TypeError for a word that is none. */
export function criticalityIndex(word: Criticality): number {
  const index = CRITICALITIES.indexOf(word);
  if (index < 0) throw new TypeError(`criticality is one of ${CRITICALITIES.join(', ')}, not ${JSON.stringify(word)}`);
  return index;
}
