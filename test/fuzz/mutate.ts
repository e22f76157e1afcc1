// Makes an input from others: a few small changes, mostly of kinds that readers of text get wrong.
import type { Random } from '../../src/core/clock.ts';

const TROUBLE = [
  ...'\0\t\n\r "\'%&()*+,-./:;<=>?@[\\]^_`{|}~',
  '\u007f',
  '\u00a0',
  '\u00e9',
  '\u0130',
  '\u212a',
  '\u2028',
  '\ufeff',
  '\ud83d\ude00',
  '\ud83d',
  '..',
  '//',
  '%2f',
  '%00',
  '%zz',
  '-1',
  '0',
  '1e9',
  '4294967296',
  '9007199254740993',
  '99999999999999999999',
  '__proto__',
  'constructor',
];
const CHANGES_MAX = 4;

export interface Stock {
  readonly words: readonly string[];
  readonly others: readonly string[];
  readonly isBytes: boolean;
  readonly lengthMax: number;
}

export function mutate(input: string, stock: Stock, random: Random): string {
  let text = input;
  for (let i = 1 + below(CHANGES_MAX, random); i > 0; i--) text = changed(text, stock, random);
  if (stock.isBytes) text = text.replace(/[^\0-\xff]/g, (char) => String.fromCharCode(char.charCodeAt(0) & 255));
  return text.slice(0, stock.lengthMax);
}

function changed(text: string, { words, others, isBytes }: Stock, random: Random): string {
  const at = below(text.length + 1, random);
  const end = at + below(Math.min(12, text.length - at) + 1, random);
  const other = oneOf(others, random) ?? '';
  switch (below(9, random)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + anyChar(isBytes, random) + text.slice(at);
    case 2:
      return text.slice(0, at) + anyChar(isBytes, random) + text.slice(at + 1);
    case 3:
      return text.slice(0, at) + (oneOf(words, random) ?? '') + text.slice(random() < 0.5 ? at : end);
    case 4:
      return text.slice(0, at) + (oneOf(TROUBLE, random) as string) + text.slice(random() < 0.5 ? at : at + 1);
    case 5:
      return text.slice(0, end) + text.slice(at);
    case 6:
      return text.slice(0, at) + other.slice(below(other.length + 1, random));
    case 7:
      return text.slice(0, at) + String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << below(7, random))) + text.slice(at + 1);
    default: {
      const from = below(other.length + 1, random);
      return text.slice(0, at) + other.slice(from, from + 8) + text.slice(at);
    }
  }
}

function anyChar(isBytes: boolean, random: Random): string {
  if (isBytes) return String.fromCharCode(below(256, random));
  return String.fromCharCode(random() < 0.95 ? 32 + below(95, random) : below(65_536, random));
}

function oneOf(list: readonly string[], random: Random): string | undefined {
  return list[below(list.length, random)];
}

function below(count: number, random: Random): number {
  return Math.floor(random() * count);
}
