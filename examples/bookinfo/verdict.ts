// What the run must show, checked on the numbers of the run. Exit code and tests hang on this.
import type { Edge, Facts, Rotation } from './facts.ts';
import type { Visit } from './load.ts';
import { PLAIN_TIMEOUT_MS } from './lane-plain.ts';
import { CALLERS } from './mesh-file.ts';
import type { Lane, RpcCounts } from './messages.ts';
import { CANARY_PHASE, PHASES, SPLIT } from './phases.ts';
import { type Stats, statsOf } from './tally.ts';

export interface Check {
  readonly name: string;
  readonly holds: boolean;
  readonly text: string;
}

export interface Summary {
  readonly phases: readonly ({ readonly name: string } & Readonly<Record<Lane, Stats>>)[];
  readonly total: Readonly<Record<Lane, Stats>>;
  readonly edges: readonly Edge[];
  readonly rpcs: Readonly<Record<Lane, RpcCounts>>;
  readonly checks: readonly Check[];
  readonly holds: boolean;
  /** The machine had so much else to do that even plain calls were slow while all was well: nothing can be concluded. */
  readonly isBusy: boolean;
}

const BUSY_P99_MS = 200;
const SUCCESS_MIN = 99.9;
const P99_FACTOR_MAX = 3;
/** Of a rotation: calls that began before are over then. */
const AFTERMATH_MS = 1_000;

export function summarize(visits: readonly Visit[], facts: Facts): Summary {
  const of = (lane: Lane, phase?: number): Stats =>
    statsOf(visits.filter((visit) => visit.lane === lane && (phase === undefined || visit.phase === phase)));
  const phases = PHASES.map(({ name }, phase) => ({ name, plain: of('plain', phase), inmesh: of('inmesh', phase) }));
  const total = { plain: of('plain'), inmesh: of('inmesh') };
  const meshed = visits.filter((visit) => visit.lane === 'inmesh');
  const rpcs = { plain: facts.rpcs('plain'), inmesh: facts.rpcs('inmesh') };
  const checks = [
    plainSuffers(total.plain),
    success(total.inmesh),
    tail(total.inmesh, of('inmesh', 0)),
    split(meshed),
    mobile(meshed),
    grpc(rpcs.inmesh),
    identities(facts.edges),
    stranger(facts),
    authorization(facts),
    rotation(facts, meshed),
  ];
  return {
    phases,
    total,
    edges: facts.edges,
    rpcs,
    checks,
    holds: checks.every((check) => check.holds),
    isBusy: of('plain', 0).p99Ms > BUSY_P99_MS,
  };
}

function plainSuffers(plain: Stats): Check {
  return {
    name: 'plain suffers',
    holds: plain.lost > 0 && plain.p99Ms >= PLAIN_TIMEOUT_MS * 0.99,
    text: `plain fetch lost ${plain.lost} of ${plain.calls} pages (${(100 - plain.answered).toFixed(1)} %); its p99 reached its timeout: ${ms(plain.p99Ms)}`,
  };
}

function success(inmesh: Stats): Check {
  return {
    name: 'success',
    holds: inmesh.answered >= SUCCESS_MIN,
    text: `inmesh answered ${inmesh.answered.toFixed(2)} % of the same pages (must be ${SUCCESS_MIN} % or more); lost: ${inmesh.lost}`,
  };
}

function tail(inmesh: Stats, healthy: Stats): Check {
  const factor = inmesh.p99Ms / healthy.p99Ms;
  return {
    name: 'tail',
    holds: factor <= P99_FACTOR_MAX,
    text: `its p99 over all troubles was ${ms(inmesh.p99Ms)}, ${factor.toFixed(1)} times that of the good days, ${ms(healthy.p99Ms)} (at most ${P99_FACTOR_MAX})`,
  };
}

/** Of draws by chance 99.7 % stay within three standard deviations. inmesh draws more evenly than chance. */
function split(meshed: readonly Visit[]): Check {
  const draws = meshed.filter((visit) => !visit.isMobile && visit.phase < CANARY_PHASE && visit.drawn !== '');
  const share = SPLIT.v2 / (SPLIT.v1 + SPLIT.v2);
  const expected = draws.length * share;
  const sigma = Math.sqrt(expected * (1 - share));
  const seen = draws.filter((visit) => visit.drawn === 'v2').length;
  const away = sigma === 0 ? Number.POSITIVE_INFINITY : Math.abs(seen - expected) / sigma;
  const percent = ((100 * seen) / Math.max(1, draws.length)).toFixed(1);
  return {
    name: 'split',
    holds: away <= 3,
    text: `the split asked for is 80/20: of ${draws.length} draws ${percent} % went to v2, ${away.toFixed(1)} standard deviations off (at most 3)`,
  };
}

function mobile(meshed: readonly Visit[]): Check {
  const visits = meshed.filter((visit) => visit.isMobile && visit.isAnswered);
  const astray = visits.filter((visit) => visit.drawn !== 'v2' || visit.version !== 'v2').length;
  return {
    name: 'mobile',
    holds: astray === 0 && visits.length > 0,
    text: `all ${visits.length} mobile users were sent to v2, and answered by it${astray === 0 ? '' : `, except ${astray}`}`,
  };
}

function grpc({ calls, messages, failed }: RpcCounts): Check {
  return {
    name: 'gRPC',
    holds: calls > 0 && messages > 0 && failed <= (calls * (100 - SUCCESS_MIN)) / 100,
    text: `reviews called ratings by gRPC ${calls} times and was streamed ${messages} messages; ${failed} calls failed`,
  };
}

/** Each service was called by the one that the policies name, and by nobody else. */
function identities(edges: readonly Edge[]): Check {
  const wanted = Object.entries(CALLERS).map(([called, caller]) => `${caller} → ${called}`);
  const seen = edges.map(({ caller, called }) => `${caller} → ${called}`);
  const holds = wanted.every((edge) => seen.includes(edge)) && seen.every((edge) => wanted.includes(edge));
  const what = holds
    ? 'every call between services came with a certificate'
    : `calls came from others than ${wanted.join(', ')}, or not at all`;
  return { name: 'identities', holds, text: `${what}: ${seen.join(', ')}` };
}

function stranger({ stranger: seen, refusals }: Facts): Check {
  const isRefused = seen !== null && /^[A-Z_]+$/.test(seen.outcome) && refusals.includes('plain_refused');
  return {
    name: 'plain caller',
    holds: isRefused,
    text: isRefused
      ? `a caller without a certificate was cut off by ${seen.called} before its request was read (its call ended with ${seen.outcome})`
      : `a caller without a certificate was not refused: it saw ${seen?.outcome ?? 'nothing'}`,
  };
}

function authorization({ denials }: Facts): Check {
  const told = denials.map(({ caller, called, answer, policy }) => `${caller} → ${called}: ${answer}, by ${policy}`);
  const areDenied = denials.every(({ answer, policy }) => /^(403|PERMISSION_DENIED) RBAC: access denied$/.test(answer) && policy !== '');
  const holds = denials.length === 2 && areDenied;
  return { name: 'authorization', holds, text: `who may not call was ${holds ? '' : 'not '}denied: ${told.join('; ')}` };
}

function rotation({ rotation: done, edges }: Facts, meshed: readonly Visit[]): Check {
  if (done === null) return { name: 'rotation', holds: false, text: 'no new certificates were issued' };
  const lost = lostAround(done, meshed);
  const renewed = edges.reduce((sum, edge) => sum + edge.renewed, 0);
  return {
    name: 'rotation',
    holds: done.taken.size === done.wanted && edges.every((edge) => edge.renewed > 0) && lost === 0,
    text: `${done.taken.size} of ${done.wanted} processes took a new certificate in mid-run, ${renewed} calls came with it; pages lost meanwhile: ${lost}`,
  };
}

/** Pages asked for from the moment the certificates were issued until the last process had taken its own, and a bit. */
function lostAround({ startedAtMs, taken }: Rotation, meshed: readonly Visit[]): number {
  const endedAtMs = Math.max(startedAtMs, ...taken.values()) + AFTERMATH_MS;
  const meanwhile = meshed.filter(({ arrivedAtMs }) => arrivedAtMs >= startedAtMs - AFTERMATH_MS && arrivedAtMs <= endedAtMs);
  return meanwhile.filter(({ isAnswered }) => !isAnswered).length;
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
