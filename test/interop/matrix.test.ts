import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { Cell } from './matrix-child.ts';
import { type NodeMajor, nodeBinary } from './nodes.ts';

const run = promisify(execFile);

const CHILD = fileURLToPath(new URL('matrix-child.ts', import.meta.url));
const DIST = new URL('../../dist/', import.meta.url);
const INSTALL_MS_MAX = 200_000;
const RUN_MS_MAX = 120_000;

const MAJORS: readonly NodeMajor[] = [22, 24, 26];

const results = new Map<NodeMajor, readonly Cell[]>();

function text(major: NodeMajor, client: string): string {
  const found = results.get(major)?.find((one) => one.client === client);
  if (found === undefined) return 'left out';
  return found.failed.length === 0 ? `${found.passed} passed` : `${found.passed} passed, ${found.failed.length} FAILED`;
}

/** Client × Node, one line each. */
function table(): string {
  const clients = [...results.values()][0]?.map(({ client }) => client) ?? [];
  const rows = [
    ['client', ...MAJORS.map((major) => `Node ${major}`)],
    ...clients.map((one) => [one, ...MAJORS.map((major) => text(major, one))]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((entry, column) => entry.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

describe('one install serves built-in fetch and undici 6, 7 and 8', () => {
  afterAll(() => {
    if (results.size > 0) process.stdout.write(`\n${table()}\n`);
  });

  it.for(MAJORS)('on Node %i', { timeout: INSTALL_MS_MAX + RUN_MS_MAX }, async (major, { skip }) => {
    if (!existsSync(new URL('index.js', DIST))) throw new Error('there is no dist/; run "npm run build" first');
    const binary = await nodeBinary(major);
    if (binary === null) return skip(`Node ${major} cannot be had here`);
    const { stdout } = await run(binary, ['--disable-warning=ExperimentalWarning', CHILD, DIST.href], {
      timeout: RUN_MS_MAX,
      maxBuffer: 4 * 1024 * 1024,
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/proxy|^NODE_OPTIONS$/i.test(name))),
    });
    const cells = JSON.parse(stdout) as Cell[];
    results.set(major, cells);
    expect(cells).toHaveLength(17);
    expect(cells.flatMap(({ client, failed }) => failed.map((failure) => `${client}: ${failure}`))).toEqual([]);
  });
});
