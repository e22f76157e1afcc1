// The fault matrix of gRPC: raw HTTP/2 servers that misbehave, the exact class and the exact number of streams they saw. And
// beside an endpoint that is well, what each class promises.
import { afterAll, describe, expect, it } from 'vitest';
import { MeshError } from '../../../src/core/errors.ts';
import { grpcStatusName } from '../../../src/core/grpc-status.ts';
import { grpcClient } from '../../../src/grpc.ts';
import { createMesh } from '../../../src/mesh/create-mesh.ts';
import type { ServiceInput } from '../../../src/model/input.ts';
import { EchoClientClass, grpcServer, unary } from '../../support/grpc-server.ts';
import { rawH2, SETTING } from '../faults/raw-h2-server.ts';
import { closedPort } from '../faults/raw-server.ts';
import { GRPC_ROWS, type GrpcFaultRow } from './fault-rows.ts';

const well = await grpcServer('well');
afterAll(() => well.close());

const SERVICE: ServiceInput = {
  loadBalancer: 'roundRobin',
  outlierDetection: false,
  circuitBreaker: false,
};

/** All that may be repeated: the class decides, not the list. */
const RETRIES = {
  attempts: 1,
  backoff: { base: '1ms', max: '1ms' },
  retryOn: ['connect-failure', 'refused-stream', 'reset', 'per-try-timeout', 429, 502, 503, 504],
} as const;

async function outcome(endpoints: readonly string[], idempotent: boolean, waits?: GrpcFaultRow['waits']): Promise<string> {
  const retries = { ...RETRIES, perTryTimeout: waits === 'attempt' ? '300ms' : '5s' };
  const service = { ...SERVICE, endpoints, retries, timeout: waits === 'call' ? '800ms' : '15s' };
  const mesh = await createMesh({ config: { services: { it: service } }, watch: false });
  try {
    const client = grpcClient(mesh, EchoClientClass, 'it', { idempotent });
    const words: string[] = [];
    // With two endpoints the ill one is drawn first in one of two calls.
    for (const _endpoint of endpoints) {
      const { code, error } = await unary(client, 'x');
      const cause = (error as { cause?: unknown } | null)?.cause;
      words.push([grpcStatusName(code), ...(cause instanceof MeshError ? [cause.code] : [])].join(' '));
    }
    return words.find((word) => word !== 'OK') ?? 'OK';
  } finally {
    await mesh.close({ drainMs: 0 });
  }
}

async function observed({ act, waits }: GrpcFaultRow, idempotent: boolean): Promise<{ alone: string; beside: string }> {
  const ill = await rawH2(act);
  try {
    const word = await outcome([`127.0.0.1:${ill.port}`], idempotent, waits);
    const alone = `${word} ×${ill.streams()}`;
    return { alone, beside: await outcome([`127.0.0.1:${ill.port}`, well.address], idempotent, waits) };
  } finally {
    ill.close();
  }
}

/** With another endpoint at hand: whatever may be repeated is served. */
function promised(row: GrpcFaultRow, idempotent: boolean): string {
  const alone = idempotent ? row.twice : row.once;
  const isRepeated = row.class === 'N' || (idempotent && row.once !== row.twice);
  return isRepeated ? 'OK' : alone.replace(/ ×\d+$/, '');
}

describe('an ill endpoint', () => {
  it.concurrent.each(GRPC_ROWS.map((row) => [row.class, row.fault, row] as const))('%s %s', async (_class, _fault, row) => {
    const [once, twice] = await Promise.all([observed(row, false), observed(row, true)]);
    expect({ once, twice }).toEqual({
      once: { alone: row.once, beside: promised(row, false) },
      twice: { alone: row.twice, beside: promised(row, true) },
    });
  });

  it('no stream allowed: waits, and says so', async () => {
    const ill = await rawH2(() => {}, { settings: [[SETTING.maxConcurrentStreams, 0]] });
    expect([await outcome([`127.0.0.1:${ill.port}`], true, 'attempt'), ill.streams()]).toEqual(['DEADLINE_EXCEEDED attempt_timeout', 0]);
    ill.close();
  });

  it('N nobody listens', async () => {
    const dead = `127.0.0.1:${await closedPort()}`;
    expect(await outcome([dead], false)).toBe('UNAVAILABLE connect_failed');
    expect(await outcome([dead, well.address], false)).toBe('OK');
  });
});
