// Turns documents into others, which are wrong in one place or a few: the fuzzer's way from what is right to what somebody
// will write one day.
import type { World } from './corpus.ts';
import { type Draw, isMapping, type Json, oddText, oddValue } from './random-value.ts';

/** All that is known of the documents of the corpus. */
export interface Stock {
  readonly worlds: readonly World[];
  readonly documents: readonly Json[];
  readonly keys: readonly string[];
  /** apiVersion and kind. */
  readonly heads: readonly (readonly [Json, Json])[];
}

export function stockOf(worlds: readonly World[]): Stock {
  const documents = worlds.flat();
  const keys = new Set<string>();
  const visit = (value: Json): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isMapping(value)) {
      for (const [key, one] of Object.entries(value)) {
        keys.add(key);
        visit(one);
      }
    }
  };
  documents.forEach(visit);
  const heads = new Map<string, readonly [Json, Json]>();
  for (const one of documents) {
    if (isMapping(one) && one.kind !== undefined) heads.set(`${one.apiVersion} ${one.kind}`, [one.apiVersion ?? null, one.kind]);
  }
  return { worlds, documents, keys: [...keys], heads: [...heads.values()] };
}

const NESTING_MAX = 140;

/** A changed copy. */
export function mutated(document: Json, stock: Stock, draw: Draw): Json {
  const copy = structuredClone(document);
  for (let i = draw.of([1, 1, 1, 2, 2, 3, 5]); i > 0; i--) mutateOnce(copy, stock, draw);
  return copy;
}

type Holder = { [key: string]: Json } | Json[];

interface Place {
  readonly holder: Holder;
  readonly key: string | number;
}

function placesOf(root: Json): Place[] {
  const places: Place[] = [];
  const visit = (value: Json): void => {
    if (Array.isArray(value)) {
      value.forEach((one, key) => {
        places.push({ holder: value, key });
        visit(one);
      });
    } else if (isMapping(value)) {
      for (const [key, one] of Object.entries(value)) {
        places.push({ holder: value, key });
        visit(one);
      }
    }
  };
  visit(root);
  return places;
}

function get({ holder, key }: Place): Json {
  return (holder as { [key: string]: Json })[key] as Json;
}

function set({ holder, key }: Place, value: Json): void {
  (holder as { [key: string]: Json })[key] = value;
}

function remove({ holder, key }: Place): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

function mutateOnce(document: Json, stock: Stock, draw: Draw): void {
  const places = placesOf(document);
  if (places.length === 0) return;
  const place = draw.of(places);
  const value = get(place);
  const elsewhere = draw.of(places);
  switch (draw.below(16)) {
    case 0:
    case 1:
      remove(place);
      break;
    case 2:
      if (Array.isArray(place.holder)) place.holder.push(structuredClone(value));
      else place.holder[draw.of(stock.keys)] = structuredClone(value);
      break;
    case 3:
    case 4:
    case 5:
      set(place, oddValue(draw));
      break;
    case 6:
      set(place, oddText(draw));
      break;
    case 7:
      set(place, Array.isArray(value) ? { [draw.of(stock.keys)]: value } : [value]);
      break;
    case 8:
      set(place, structuredClone(get(elsewhere)));
      set(elsewhere, value);
      break;
    case 9:
      set(place, nested(value, draw));
      break;
    case 10:
      rename(place, draw.chance(0.7) ? draw.of(stock.keys) : oddText(draw));
      break;
    case 11:
      // A piece of another document, where one of the same name is.
      graft(place, stock, draw);
      break;
    case 12:
      if (isMapping(document)) [document.apiVersion, document.kind] = draw.of(stock.heads) as [Json, Json];
      break;
    case 13:
      if (Array.isArray(place.holder) && place.holder.length < 50) {
        for (let i = draw.of([1, 2, 30, 70]); i > 0; i--) place.holder.push(structuredClone(value));
      }
      break;
    case 14:
      set(
        place,
        typeof value === 'number'
          ? String(value)
          : typeof value === 'string'
            ? changed(value, draw)
            : [...(Array.isArray(value) ? value : [value]), null],
      );
      break;
    case 15:
      if (isMapping(value)) value[draw.chance(0.5) ? draw.of(stock.keys) : oddText(draw)] = oddValue(draw);
      break;
  }
}

function nested(value: Json, draw: Draw): Json {
  let result = value;
  const isList = draw.chance(0.5);
  for (let i = draw.of([1, 2, 20, NESTING_MAX]); i > 0; i--) result = isList ? [result] : { not: result };
  return result;
}

function rename(place: Place, key: string): void {
  const { holder } = place;
  if (Array.isArray(holder)) return;
  const value = get(place);
  remove(place);
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function graft(place: Place, stock: Stock, draw: Draw): void {
  const others = placesOf(draw.of(stock.documents)).filter(({ key }) => key === place.key && typeof key === 'string');
  if (others.length > 0) set(place, structuredClone(get(draw.of(others))));
}

function changed(text: string, draw: Draw): string {
  const at = draw.below(text.length + 1);
  switch (draw.below(4)) {
    case 0:
      return text.slice(0, at) + draw.of(['*', '.', '/', ' ', ':', '-', '\\', '(', '%', '${', '\u00e9', ',', '0']) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1);
    case 2:
      return text.toUpperCase();
    default:
      return text + text;
  }
}
