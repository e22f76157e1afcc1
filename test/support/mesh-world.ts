// A mesh over hand-played endpoints on a virtual clock: no sockets, no waiting. Each endpoint answers by a function.
import type { Call, Reply } from '../../src/core/call.ts';
import { createMesh, type Mesh } from '../../src/mesh/mesh.ts';
import type { MeshOptions } from '../../src/mesh/mesh-options.ts';
import type { MeshInput } from '../../src/model/input.ts';
import { pair, type Seen, testError } from './fake-service.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Answers one attempt; a number is a status with an empty body. 'hang' never answers, 'refuse' fails to connect. */
export type Play = (attempt: Call) => number | 'hang' | 'refuse';

export interface MeshWorld {
  readonly mesh: Mesh;
  readonly clock: VirtualClock;
  /** Attempts in order: `address`. */
  readonly log: string[];
  /** Attempts as the endpoints saw them. */
  readonly attempts: Seen[];
  /** Behaviour by address. @default 200 */
  readonly play: Record<string, Play>;
  fetch(path?: string, init?: Parameters<Mesh['fetch']>[1]): Promise<Response>;
}

export async function meshWorld(config: MeshInput, options: Partial<MeshOptions> = {}): Promise<MeshWorld> {
  const clock = new VirtualClock();
  const log: string[] = [];
  const attempts: Seen[] = [];
  const play: Record<string, Play> = {};
  const mesh = await createMesh({
    config,
    clock,
    random: seededRandom(7),
    telemetry: { spans: 'off' },
    transport: (endpoint) => {
      const [service, server] = pair({ clock });
      return (attempt): Promise<Reply> => {
        log.push(endpoint.address);
        const replied = service(attempt);
        void server.next().then((seen) => {
          attempts.push(seen);
          const answer = (play[endpoint.address] ?? (() => 200))(attempt);
          if (answer === 'hang') return;
          if (answer === 'refuse') seen.fail(testError('connect_failed', { retryable: true }));
          else {
            seen.reply(answer);
            seen.end();
          }
        });
        return replied;
      };
    },
    ...options,
  });
  return { mesh, clock, log, attempts, play, fetch: (path = '/', init) => mesh.fetch(`http://reviews${path}`, init) };
}
