// The examples of the docs pages run by themselves and end well, and what a page shows of their output, or of the command
// line's, is what they print: a text block below `<!-- output: examples/docs/a.ts -->` or `<!-- output: inmesh check … -->`.
// They import the built package by its name: build first.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../house/tree.ts';

const FOLDER = join(ROOT, 'examples/docs');

/** A line that must be there, digits as they come. */
const KEY_LINES: Readonly<Record<string, string>> = {
  'authorization.ts': 'GET /1: 200 reviews for productpage',
  'circuit-breaker.ts': 'reviews opened: 70 % of the calls of the last 5000 ms failed',
  'client.ts': '200 v1',
  'configuration.ts': 'after a broken file: 200',
  'connect.ts': 'sent: GET GET POST',
  'discovery.ts': 'greeter: 1 came, 1 left',
  'fallback-and-cache.ts': '/books: 200 42 books, stale stale, asked 3 times',
  'fetch.ts': 'through the global dispatcher: hello',
  'frameworks.ts': '200 hello stranger',
  'grpc-server.ts': 'another method: RBAC: access denied',
  'grpc.ts': 'UNAVAILABLE unknown_host',
  'hedging.ts': 'hedged: 97 % within 80 ms, 1.05 attempts a call',
  'identity.ts': "spiffe://cluster.local/ns/default/sa/productpage 1 [ 'cluster.local' ]",
  'layers.ts': 'the slowest call was /b',
  'limits.ts': '200',
  'load-balancing.ts': 'peakEwma: 1 of 40 calls went to the slow one',
  'mesh-call.ts': 'deadline_exceeded',
  'meshes.ts': 'http://reviews/foobar v2',
  'retries.ts': 'two POSTs that may be repeated: 6 attempts, then 503 and 503',
  'seeing.ts': "reviews testers [ { name: 'reviews/v2', percent: 100 } ]",
  'server.ts': 'both gave up: true',
  'simulate.ts': 'without budget and circuit: 0.0 % answered, 20 s after it was over',
  'telemetry.ts': 'inmesh.call.duration',
  'throttling.ts': 'refused here: 450 of 500 prefetches, 2 of 500 pages',
  'timeouts.ts': 'deadline_exceeded head',
  'tls.ts': "[config_invalid] the ca cannot be read from certs/ca.crt: ENOENT: no such file or directory, open 'certs/ca.crt'.",
  'traffic.ts': 'v2 saw GET /a of reviews-shadow, cookie: undefined',
  'worker.ts': '10 of 10 answered, the other endpoint has failed',
};

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const runs = new Map<string, Promise<Run>>();

/** Runs a file of the repository once, however often it is asked for. */
function run(file: string, ...args: string[]): Promise<Run> {
  const key = [file, ...args].join(' ');
  const known = runs.get(key);
  if (known !== undefined) return known;
  const { RATINGS_ADDRESS: _, FORCE_COLOR: __, ...env } = process.env;
  const running = new Promise<Run>((resolve) => {
    const options = { cwd: ROOT, timeout: 15_000, env: { ...env, NO_COLOR: '1' } };
    execFile(process.execPath, [file, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
  runs.set(key, running);
  return running;
}

interface Shown {
  readonly page: string;
  /** What stands after `output: `. */
  readonly of: string;
  readonly lines: readonly string[];
}

const MARKED = /^<!-- output: (.+) -->\n```text\n([\s\S]*?)\n```$/gm;

function shownIn(page: string, text: string): Shown[] {
  return [...text.matchAll(MARKED)].map(([, of = '', block = '']) => ({ page, of, lines: block.split('\n') }));
}

const PAGES = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
const SHOWN = PAGES.flatMap((page) => shownIn(page, readFileSync(join(ROOT, 'docs', page), 'utf8')));

/** Ports and times differ from run to run. */
function withoutNumbers(line: string): string {
  return line.replace(/\d+(\.\d+)?/g, '0');
}

/** The first line that is not in the output after those before it; null when all are. `…` stands for any lines. */
function missingLine(lines: readonly string[], output: string, plain: (line: string) => string): string | null {
  const printed = output.split('\n').map((line) => plain(line.trimEnd()));
  let from = 0;
  for (const line of lines) {
    if (line.trim() === '…') continue;
    const at = printed.indexOf(plain(line.trimEnd()), from);
    if (at < 0) return line;
    from = at + 1;
  }
  return null;
}

describe('the examples of the docs', () => {
  it('are all named here', () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.ts'));
    expect(files.sort()).toEqual(Object.keys(KEY_LINES));
  });

  it.concurrent.each(Object.entries(KEY_LINES))('%s', async (file, line) => {
    const { code, stdout, stderr } = await run(`examples/docs/${file}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(withoutNumbers(stdout)).toContain(withoutNumbers(line));
  });
});

describe('the output that the docs show', () => {
  it('is marked in every page in the same way', () => {
    const markers = PAGES.flatMap((page) => readFileSync(join(ROOT, 'docs', page), 'utf8').match(/<!-- output: /g) ?? []);
    expect(SHOWN).toHaveLength(markers.length);
    expect(SHOWN.length).toBeGreaterThan(10);
  });

  it.concurrent.each(SHOWN.map((shown) => [shown.page, shown.of, shown] as const))('%s: %s', async (_page, of, { lines }) => {
    const [command = '', ...args] = of.split(' ');
    const { stdout, stderr } = command === 'inmesh' ? await run('dist/cli/main.js', ...args) : await run(of);
    // Documents go to the one, and the report about them to the other.
    expect(missingLine(lines, stdout + stderr, command === 'inmesh' ? String : withoutNumbers)).toBeNull();
  });

  it('that is not printed is found', () => {
    const page = 'Text.\n\n<!-- output: examples/docs/a.ts -->\n```text\none 1\n…\nthree\n```\n';
    expect(shownIn('a.md', page)).toEqual([{ page: 'a.md', of: 'examples/docs/a.ts', lines: ['one 1', '…', 'three'] }]);
    expect(missingLine(['one 1', '…', 'three'], 'one 2\ntwo\nthree\n', withoutNumbers)).toBeNull();
    expect(missingLine(['one 1'], 'one 2\n', String)).toBe('one 1');
    expect(missingLine(['two', 'one'], 'one\ntwo\n', String)).toBe('one');
  });
});
