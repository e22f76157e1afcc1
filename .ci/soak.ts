// `npm run soak`: everything at once for ten minutes, or `-- --minutes 1`, `-- --hours 8`: HTTP/1.1, HTTP/2 and
// gRPC, plain and over mTLS; new certificates every 10 s, an endpoint that restarts every 30 s, a name that flaps every 20 s, 1 % faults,
// a stall of the own loop every minute, a reload every 5 s. A progress line, a table held against the bars, and two plots in --out (a
// folder, default none). --json; the exit code says whether every bar is kept.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { soak, type SoakSample } from '../test/interop/soak.ts';
import { plot, soakBars } from './lib/soak-report.ts';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    hours: { type: 'string' },
    out: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const AT_ONCE = 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function tell({ atMs, calls, failed, p99Ms, rssBytes }: SoakSample): void {
  const rss = `${(rssBytes / 1_048_576).toFixed(0)} MB`;
  console.log(`${(atMs / 60_000).toFixed(1).padStart(6)} min  ${calls} calls, ${failed} failed, p99 ${p99Ms.toFixed(1)} ms, ${rss}`);
}

async function main(): Promise<number> {
  if (options.help) {
    console.log('npm run soak -- [--minutes 10 | --hours 8] [--out <folder for plots>] [--json]');
    return 0;
  }
  const forMs = options.hours === undefined ? Number(options.minutes) * 60_000 : Number(options.hours) * 3_600_000;
  if (!(forMs > 0)) throw new Error('--minutes and --hours take a number above 0');
  const { createMesh } = (await import(new URL('../dist/index.js', import.meta.url).href)) as typeof import('../src/index.ts');
  const { grpcClient } = (await import(new URL('../dist/grpc.js', import.meta.url).href)) as typeof import('../src/grpc.ts');
  const library = { createMesh, grpcClient };
  const result = await soak(library, {
    forMs,
    atOnce: AT_ONCE,
    restartMs: 30_000,
    dnsFlapMs: 20_000,
    reloadMs: 5_000,
    rotateMs: 10_000,
    stallEveryMs: 60_000,
    stallMs: 300,
    faultShare: 0.01,
    collect,
    ...(options.json ? {} : { onProgress: tell }),
  });
  const bars = soakBars(result);
  if (options.json) console.log(JSON.stringify({ ...result, bars }, null, 2));
  else {
    console.log(`\n${result.calls} calls, ${result.reloads} reloads, ${result.restarts} restarts, ${result.rotations} rotations`);
    for (const { what, value, most, isKept } of bars) console.log(`${isKept ? 'kept  ' : 'missed'}  ${what}: ${value} (at most ${most})`);
  }
  if (options.out !== undefined) {
    mkdirSync(options.out, { recursive: true });
    writeFileSync(
      join(options.out, 'soak-p99.svg'),
      plot('p99, ms', result.samples, ({ p99Ms }) => p99Ms),
    );
    writeFileSync(
      join(options.out, 'soak-rss.svg'),
      plot('RSS, MB', result.samples, ({ rssBytes }) => rssBytes / 1_048_576),
    );
  }
  return bars.every(({ isKept }) => isKept) ? 0 : 1;
}

process.exitCode = await main();
