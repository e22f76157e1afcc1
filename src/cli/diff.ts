// `inmesh diff`: what two configurations mean otherwise, field by field, each with its places. Like diff(1): 0 for equal, 1 for
// different, 2 for trouble.
import { styleText } from 'node:util';
import { type Difference, diffConfigs } from '../yaml/diff.ts';
import { foldDifferences } from '../yaml/write/fold-differences.ts';
import { type Plain, plainText } from '../yaml/write/plain.ts';
import { placeText } from '../yaml/write/positions.ts';
import { type CommandInput, UsageError } from './command.ts';
import { loadPaths } from './load-paths.ts';
import { faint } from './paint.ts';

export async function diff({ positionals, values, terminal }: CommandInput): Promise<number> {
  const [first, second, ...more] = positionals;
  if (first === undefined || second === undefined || more.length > 0) throw new UsageError('give two configurations');
  const lenient = values.lenient === true;
  const a = await loadPaths(pathsIn(first), terminal, lenient);
  const b = await loadPaths(pathsIn(second), terminal, lenient);
  if (a === null || b === null) return 2;
  const differences = foldDifferences(diffConfigs(a, b), a.config);
  const hide = (text: string): string => b.hide(a.hide(text));
  terminal.out(hide(values.json === true ? jsonText(differences) : humanText(differences, first, second)));
  return differences.length === 0 ? 0 : 1;
}

/** Files of one configuration stand with commas between them, as in INMESH_CONFIG. */
function pathsIn(text: string): string[] {
  return text
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '');
}

function jsonText(differences: readonly Difference[]): string {
  const rows = differences.map(({ path, from, to, fromAt, toAt }) => ({ path, from, to, fromAt, toAt }));
  return `${JSON.stringify({ equal: differences.length === 0, differences: rows }, null, 2)}\n`;
}

function humanText(differences: readonly Difference[], first: string, second: string): string {
  if (differences.length === 0) return `${first} and ${second} mean the same\n`;
  return differences.map((difference) => `${lineOf(difference)}\n`).join('');
}

/** `services.reviews.routes[canary].timeout: 2s → 3s (a.yaml:3:5 → b.yaml:9:7)`. */
function lineOf({ path, from, to, fromAt, toAt }: Difference): string {
  const places = [placeOf(from, fromAt), placeOf(to, toAt)].join(' → ');
  return `${path}: ${styleText('red', valueText(from))} → ${styleText('green', valueText(to))} ${faint(`(${places})`)}`;
}

function valueText(value: Plain | undefined): string {
  return value === undefined ? '–' : plainText(value);
}

function placeOf(value: Plain | undefined, at: Difference['fromAt']): string {
  return value === undefined && at === undefined ? '–' : placeText(at);
}
