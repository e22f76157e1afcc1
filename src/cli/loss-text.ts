// What was lost on the way into another form, for people: what is gone first, what nobody asked for last, and what is true of
// many rules said once.
import type { Loss } from '../yaml/losses.ts';
import { placeText } from '../yaml/write/positions.ts';
import { plural } from './check-groups.ts';
import { faint, sign, type Status } from './paint.ts';

export interface LossSummary {
  readonly lost: number;
  readonly approximated: number;
  readonly kept: number;
  /** Defaults of inmesh that nobody wrote. */
  readonly defaults: number;
}

export function summarizeLosses(losses: readonly Loss[]): LossSummary {
  const written = losses.filter((loss) => !isDefault(loss));
  const count = (verdict: Loss['verdict']): number => written.filter((loss) => loss.verdict === verdict).length;
  return {
    lost: count('lost'),
    approximated: count('approximated'),
    kept: count('kept'),
    defaults: losses.length - written.length,
  };
}

/** Defaults that nobody wrote are counted, not named: there are many. */
export function lossText(losses: readonly Loss[]): string {
  const lines = VERDICTS.flatMap(([verdict, status]) => {
    const own = losses.filter((loss) => loss.verdict === verdict && !isDefault(loss));
    return folded(own).map((group) => groupText(group, sign(status)));
  });
  return `${lines.map((line) => `${line}\n`).join('')}${lines.length === 0 ? '' : '\n'}Status: ${statusText(summarizeLosses(losses))}\n`;
}

const VERDICTS: readonly (readonly [Loss['verdict'], Status])[] = [
  ['lost', 'error'],
  ['approximated', 'warning'],
  ['kept', 'ok'],
];

function statusText({ lost, approximated, kept, defaults }: LossSummary): string {
  const parts = [`${lost} lost`, `${approximated} approximated`, `${kept} kept`];
  if (defaults > 0) parts.push(`${plural(defaults, 'default')} left to the mesh, which --json names`);
  return `${sign(lost > 0 ? 'error' : approximated > 0 ? 'warning' : 'ok')} ${parts.join(', ')}`;
}

/** Nobody wrote it, so nobody misses it. */
function isDefault({ verdict, position }: Loss): boolean {
  return verdict !== 'lost' && position === undefined;
}

type Group = readonly [Loss, ...Loss[]];

/** Those of which the same is to be said, in other rules or services. */
function folded(losses: readonly Loss[]): Group[] {
  const groups = new Map<string, [Loss, ...Loss[]]>();
  for (const loss of losses) {
    const { field, from, to, why } = loss;
    const last = lastOf(field);
    const key = [last, OF_NAMES.has(last) ? '' : from, withoutName(to), why].join('\n');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [loss]);
    else group.push(loss);
  }
  return [...groups.values()];
}

/** What is said there is the name of the rule. */
const OF_NAMES: ReadonlySet<string> = new Set(['[]', '[].name']);

/** Field within its service or rule. */
function lastOf(field: string): string {
  return field.replace(/^services\..*?\.routes\[[^\]]*\]/, '[]').replace(/^services\.[^.]*/, '');
}

/** `VirtualService reviews: timeout` without the name. */
function withoutName(to: string): string {
  return to.replace(/^(\w+) [^:]+/, '$1');
}

const OTHERS_MAX = 4;

function groupText([first, ...others]: Group, mark: string): string {
  const { field, also = [], from, to, why, position } = first;
  const fields = [field, ...also].join(', ');
  const place = position === undefined ? '' : `${placeText(position)} `;
  const lines = [`${mark} ${place}${fields}: ${from}${to === '' ? '' : ` → ${to}`}`];
  if (why !== '') lines.push(`    ${why}`);
  if (others.length > 0) lines.push(faint(`    also ${othersText(others)}`));
  return lines.join('\n');
}

function othersText(others: readonly Loss[]): string {
  const shown = others
    .slice(0, OTHERS_MAX)
    .map(({ field, position }) => (position === undefined ? field : `${field} (${placeText(position)})`));
  const more = others.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
