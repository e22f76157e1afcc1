// The generated part of docs/resilience.md: what many runs of the scenarios gave, as Markdown tables, and pictures beside
// them. Equal input gives equal text.
import { drawRuns, type Picture } from '../../src/testing.ts';
import { escapeCell, table } from './markdown.ts';
import { digits } from './sim-summary.ts';

/** One figure of one case, over all seeds. `worst` is the run that came nearest to the bar, or furthest beyond. */
export interface ResilienceRow {
  readonly scenario: string;
  readonly case: string;
  /** A model of what others do; its bars say how it must fail. */
  readonly isControl: boolean;
  readonly what: string;
  readonly median: number;
  readonly worst: number;
  /** What the specification demands; empty: only shown. */
  readonly bar: string;
  /** By every seed, by the median of them, or by neither; empty: there is no bar. */
  readonly kept: 'yes' | 'median' | 'no' | '';
  /** Why it is missed. */
  readonly why?: string;
}

export interface ResilienceReport {
  readonly seeds: readonly number[];
  /** In the order of the page. */
  readonly scenarios: readonly { readonly id: string; readonly title: string; readonly notes?: readonly string[] }[];
  readonly rows: readonly ResilienceRow[];
  /** At most one for each scenario. */
  readonly pictures?: readonly { readonly scenario: string; readonly picture: Picture | readonly Picture[] }[];
}

export interface ResilienceFiles {
  /** To stand in the page, without a heading of its own. */
  readonly markdown: string;
  /** File name → SVG; the page links them from `folder`. */
  readonly pictures: ReadonlyMap<string, string>;
}

const BEGIN = '<!-- generated: npm run sim -- --write-docs -->';
const END = '<!-- end of what is generated -->';

/** The page with another generated part. Throws when the page has no place for it. */
export function replaceGenerated(page: string, markdown: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error(`the page has no lines "${BEGIN}" and "${END}"`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${markdown}\n${page.slice(to)}`;
}

/** `folder`: where the pictures will be, as the page names it. Scenarios without rows are left out. */
export function resilienceFiles({ seeds, scenarios, rows, pictures = [] }: ResilienceReport, folder: string): ResilienceFiles {
  const shown = scenarios.filter(({ id }) => rows.some(({ scenario }) => scenario === id));
  const files = new Map(pictures.map(({ scenario, picture }) => [fileName(scenario), drawRuns(picture)]));
  const sections = shown.map(({ id, title, notes = [] }) => {
    const file = fileName(id);
    const own = rows.filter(({ scenario }) => scenario === id);
    const remarks = [...notes, ...new Set(own.flatMap(({ why, what }) => (why === undefined ? [] : [`Missed, ${what}: ${why}`])))];
    return [
      `### ${id}: ${title}`,
      ...(files.has(file) ? [`![${escapeCell(title)}](${folder}/${file})`] : []),
      figures(own),
      ...(remarks.length === 0 ? [] : [remarks.map((remark) => `- ${remark}`).join('\n')]),
    ].join('\n\n');
  });
  return { markdown: `${[summary(seeds, shown, rows), ...sections].join('\n\n')}\n`, pictures: files };
}

function fileName(scenario: string): string {
  return `${scenario.toLowerCase()}.svg`;
}

function summary(seeds: readonly number[], shown: ResilienceReport['scenarios'], rows: readonly ResilienceRow[]): string {
  const count = (of: readonly ResilienceRow[]): string => {
    const kept = of.filter((row) => row.kept === 'yes').length;
    return of.length === 0 ? '–' : kept === of.length ? `${kept} of ${of.length}` : `**${kept} of ${of.length}**`;
  };
  const lines = shown.map(({ id, title }) => {
    const own = rows.filter(({ scenario, bar }) => scenario === id && bar !== '');
    return [id, escapeCell(title), count(own.filter(({ isControl }) => !isControl)), count(own.filter(({ isControl }) => isControl))];
  });
  const text = `${seeds.length} seed${seeds.length === 1 ? '' : 's'} each. A bar is kept when every seed keeps it.`;
  return `${text}\n\n${table(['', 'scenario', 'bars kept', 'controls that fail as they must'], lines)}`;
}

const KEPT = { yes: 'yes', median: '**by the median**', no: '**no**', '': '' } as const;

function figures(rows: readonly ResilienceRow[]): string {
  let last = '';
  const lines = rows.map(({ case: name, isControl, what, median, worst, bar, kept }) => {
    const label = isControl ? `_control:_ ${escapeCell(name)}` : escapeCell(name);
    const cell = label === last ? '' : label;
    last = label;
    return [cell, escapeCell(what), escapeCell(bar), digits(median), digits(worst), KEPT[kept]];
  });
  return table(['case', 'figure', 'bar of the specification', 'median', 'worst', 'kept'], lines);
}
