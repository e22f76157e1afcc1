// One gRPC cell of the fault matrix: a call that must not and one that may reach the application twice, alone with an ill endpoint and
// beside one that is well. `UNAVAILABLE connection_lost ×1` reads: that status, for that reason of the mesh, one stream reached the
// endpoint. Afterwards nothing may be under way, and an endpoint that is well again is served.
import { GRPC_STATUSES } from '../../../src/model/grpc-status.ts';
import type { Mesh } from '../../../src/index.ts';
import { EchoClientClass, grpcServer, unary } from '../../support/grpc-server.ts';
import { idle, type Library, settled } from './observe.ts';
import { rawH2 } from './raw-h2-server.ts';
import { closedPort } from './raw-server.ts';
import { answer, type GrpcFault } from './rows-grpc.ts';

/** All that may be repeated: the class decides, not the list. */
const RETRIES = {
  attempts: 1,
  backoff: { base: '1ms', max: '1ms' },
  retryOn: ['connect-failure', 'refused-stream', 'reset', 'per-try-timeout', 429, 502, 503, 504],
} as const;

const HEALED_MS_MAX = 500;

interface IllServer {
  readonly address: string;
  readonly streams: () => number;
  /** null: it stays as it is. */
  readonly heal: (() => void) | null;
  close(): void;
}

async function illServer({ act, settings, onAccept }: GrpcFault): Promise<IllServer> {
  if (act === null) return { address: `127.0.0.1:${await closedPort()}`, streams: () => 0, heal: null, close() {} };
  let isIll = true;
  const server = await rawH2((peer, stream, nth) => (isIll ? act(peer, stream, nth) : answer(peer, stream, nth)), {
    ...(settings === undefined ? {} : { settings }),
    onConnection: (peer) => {
      if (isIll) onAccept?.(peer);
    },
  });
  const heal = (): void => {
    isIll = false;
  };
  return { address: `127.0.0.1:${server.port}`, streams: server.streams, heal: settings === undefined ? heal : null, close: server.close };
}

/** One call, in words. */
async function called({ grpcClient }: Library, mesh: Mesh, idempotent: boolean): Promise<string> {
  const { code, error } = await unary(grpcClient(mesh, EchoClientClass, 'it', { idempotent }), 'x');
  const cause = (error as { cause?: { code?: unknown; family?: unknown } } | null)?.cause;
  return [GRPC_STATUSES[code], ...(cause?.family === undefined ? [] : [cause.code])].join(' ');
}

/** Right after a failed connection grpc-js pauses for 100 ms, and the turn in which one breaks still knows it. */
async function healed(library: Library, mesh: Mesh, heal: () => void): Promise<string> {
  heal();
  const endMs = performance.now() + HEALED_MS_MAX;
  for (;;) {
    const word = await called(library, mesh, false);
    if (word === 'OK' || performance.now() > endMs) return word;
    await idle();
  }
}

/** As many calls as endpoints: the ill one is drawn first in one of them. */
async function illness(
  library: Library,
  fault: GrpcFault,
  ill: IllServer,
  endpoints: readonly string[],
  idempotent: boolean,
): Promise<string> {
  const { waits } = fault;
  const retries = { ...RETRIES, perTryTimeout: waits === 'attempt' ? '300ms' : '5s' };
  const mesh = await library.createMesh({
    config: {
      services: {
        it: {
          endpoints: [...endpoints],
          loadBalancer: 'roundRobin',
          outlierDetection: false,
          circuitBreaker: false,
          retries,
          timeout: waits === 'call' ? '800ms' : '15s',
        },
      },
    },
    watch: false,
  });
  try {
    const words: string[] = [];
    for (const _endpoint of endpoints) words.push(await called(library, mesh, idempotent));
    const hits = ill.streams();
    const word = words.find((one) => one !== 'OK') ?? 'OK';
    const left = await settled(mesh);
    if (left > 0) return `${word}, ${left} LEFT UNDER WAY`;
    if (endpoints.length > 1) return word;
    const next = ill.heal === null ? 'OK' : await healed(library, mesh, ill.heal);
    return `${word} ×${hits}${next === 'OK' ? '' : `, THE NEXT CALL: ${next}`}`;
  } finally {
    await mesh.close({ drainMs: 0 });
  }
}

async function observed(library: Library, fault: GrpcFault, idempotent: boolean): Promise<string> {
  const [alone, beside, well] = [await illServer(fault), await illServer(fault), await grpcServer('well')];
  try {
    const word = await illness(library, fault, alone, [alone.address], idempotent);
    return `${word}, beside a healthy one ${await illness(library, fault, beside, [beside.address, well.address], idempotent)}`;
  } finally {
    alone.close();
    beside.close();
    await well.close();
  }
}

/** With another endpoint at hand: whatever may be repeated is served. */
function promised({ class: kind, once, twice }: GrpcFault, idempotent: boolean): string {
  const alone = idempotent ? twice : once;
  const isRepeated = (kind === 'N' && !once.includes('_timeout')) || (idempotent && (once !== twice || once.includes('_timeout ×0')));
  return `${alone}, beside a healthy one ${isRepeated ? 'OK' : alone.replace(/ ×\d+$/, '')}`;
}

function line(once: string, twice: string): string {
  return `not idempotent ${once}; idempotent ${twice}`;
}

export async function observeGrpc(library: Library, fault: GrpcFault): Promise<string> {
  return line(await observed(library, fault, false), await observed(library, fault, true));
}

export function promisedGrpc(fault: GrpcFault): string {
  return line(promised(fault, false), promised(fault, true));
}
