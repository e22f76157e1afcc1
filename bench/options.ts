// The command line of the bench.
import { parseArgs } from 'node:util';

export interface Options {
  /** Fewer and shorter rounds: at most a minute, good for a glance only. */
  readonly quick: boolean;
  /** The report as JSON instead of tables. */
  readonly json: boolean;
  readonly writeDocs: boolean;
  /** Sections (`sockets`, `isolated`, `import`, `grpc`) and parts of case names; empty means everything. */
  readonly only: readonly string[];
}

export const USAGE = `npm run bench -- [--quick] [--json] [--write-docs] [--only <what>]...
  --quick        at most a minute, for a glance; the full run takes up to seven
  --json         the report as JSON
  --write-docs   puts the tables into docs/performance.md
  --only <what>  a section (sockets, isolated, import, grpc) or a part of a case's name; may be repeated`;

export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  return { quick: values.quick, json: values.json, writeDocs: values['write-docs'], only: values.only };
}

export const SECTIONS = ['sockets', 'isolated', 'import', 'grpc'] as const;
export type Section = (typeof SECTIONS)[number];

/** A part of a case's name asks for the sockets section. */
export function wantsSection(options: Options, section: Section): boolean {
  if (options.only.length === 0 || options.only.includes(section)) return true;
  return section === 'sockets' && options.only.some((word) => !(SECTIONS as readonly string[]).includes(word));
}
