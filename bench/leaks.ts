// `npm run bench:leaks`: the leak gates in full length, a few minutes.
import { Child } from './child.ts';
import {
  CALLS_GROWTH_MAX,
  countRetrySockets,
  FULL_LEAK_PLAN,
  HOSTS_GROWTH_MAX,
  LEAK_KINDS,
  measureCalls,
  measureHosts,
  PROBE_CALLS,
  probeCalls,
  RETRY_SOCKETS_MAX,
  SHORT_LEAK_PLAN,
} from './leak-gates.ts';
import { buildIfStale } from './library.ts';

const plan = process.argv.includes('--quick') ? SHORT_LEAK_PLAN : FULL_LEAK_PLAN;
let isKept = true;

function tell(what: string, value: number, most: number, unit: string): void {
  isKept &&= value <= most;
  process.stdout.write(`${value <= most ? 'kept  ' : 'missed'}  ${what}: ${value.toFixed(0)} ${unit} (at most ${most.toFixed(0)})\n`);
}

try {
  buildIfStale();
  tell('sockets after 20 sequential 503s that are retried', await countRetrySockets(), RETRY_SOCKETS_MAX, 'sockets');
  const { kinds, sockets } = await probeCalls(PROBE_CALLS);
  for (const { kind, answers, signals, listeners } of kinds) {
    tell(`reachable after ${PROBE_CALLS} calls (${kind})`, answers + signals + listeners, 0, 'answers, signals and listeners');
  }
  tell('sockets of a closed mesh', sockets, 0, 'sockets');
  for (const kind of LEAK_KINDS) {
    const { grownBytes, calls, seconds } = await measureCalls(kind, plan.calls, 0, plan.rounds);
    const rounds = plan.rounds > 0 ? `each of ${plan.rounds} times ` : '';
    tell(`heap after ${rounds}${calls} calls (${kind}, ${seconds.toFixed(0)} s)`, grownBytes / 1_024, CALLS_GROWTH_MAX / 1_024, 'KiB');
  }
  for (const [edge, hosts] of [
    ['dispatcher', plan.hosts],
    ['fetch', plan.fetchedHosts],
  ] as const) {
    const { grownBytes, seconds } = await measureHosts(edge, hosts);
    tell(`heap after ${hosts} unknown hosts (mesh.${edge}, ${seconds.toFixed(0)} s)`, grownBytes / 1_024, HOSTS_GROWTH_MAX / 1_024, 'KiB');
  }
  if (!isKept) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  Child.stopAll();
}
