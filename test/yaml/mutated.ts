// A document with something wrong in it: pieces dropped, doubled, exchanged, misspelt, or replaced by something strange.

export type Json = unknown;

const STRANGE: readonly Json[] = [
  null,
  '',
  0,
  -1,
  1e9,
  0.5,
  true,
  [],
  {},
  'x',
  '*',
  '(',
  '0s',
  '90m',
  '-1m',
  '1e99',
  '*.a',
  '10.0.0.0/8',
  'a/b/c',
  '{**}/{*}',
  '/a|/b',
  [null],
  [{}],
  ['a', 1],
  { name: 'x' },
  { kind: 'Service', name: 'x' },
  '__proto__',
  65_536,
  'é\u0000',
  'a'.repeat(1_020),
];

export function mutated(value: Json, random: () => number): Json {
  const pick = (count: number): number => Math.floor(random() * count);
  const strange = (): Json => STRANGE[pick(STRANGE.length)];
  if (Array.isArray(value)) {
    if (value.length === 0 || random() < 0.15) return strange();
    const index = pick(value.length);
    if (random() < 0.2) return [...value, value[index]];
    if (random() < 0.2) return value.filter((_, i) => i !== index);
    return value.map((one, i) => (i === index ? mutated(one, random) : one));
  }
  if (typeof value !== 'object' || value === null) return typeof value === 'string' && random() < 0.2 ? value.slice(0, -1) : strange();
  const entries = Object.entries(value);
  if (entries.length === 0 || random() < 0.05) return strange();
  const index = pick(entries.length);
  if (random() < 0.15) return Object.fromEntries(entries.filter((_, i) => i !== index));
  if (random() < 0.1) return { ...value, [`${entries[index]?.[0]}x`]: 1 };
  if (random() < 0.1) return { ...value, [entries[index]?.[0] as string]: entries[pick(entries.length)]?.[1] };
  return Object.fromEntries(entries.map(([key, one], i) => [key, i === index ? mutated(one, random) : one]));
}
