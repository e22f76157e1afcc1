// The story: what goes wrong, when, in plain words.
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from './world.ts';

export interface Phase {
  /** Short, for tables. */
  readonly name: string;
  /** One sentence for somebody who has never heard of a mesh. */
  readonly story: string;
  /** Of the whole time. */
  readonly share: number;
  /** Makes it happen; whatever it awaits must fit into the phase. */
  readonly enter: (world: World, phaseMs: number) => Promise<void> | void;
  /** Makes it good again. */
  readonly leave?: (world: World) => void;
}

export const SPLIT = { v1: 80, v2: 20 } as const;
export const SPLIT_WITH_CANARY = { v1: 76, v2: 19, v3: 5 } as const;
export const ROTATION_PHASE = 4;
export const CANARY_PHASE = 5;

export const PHASES: readonly Phase[] = [
  {
    name: 'all is well',
    story:
      'All is well. Reviews run in six processes: v1 three times, v2 twice, v3 once (nobody is sent there yet). Two try to call what they may not call.',
    share: 0.2,
    enter: async (world, phaseMs) => {
      await sleep(phaseMs * 0.3);
      await world.callWithoutCertificate('details');
      world.trespass('details');
    },
  },
  {
    name: 'one turns slow',
    story: 'reviews-v1-b now takes 2 s to answer, a hundred times as long as before.',
    share: 0.18,
    enter: (world) => world.fault('reviews-v1-b', { delayMs: 2_000 }),
    leave: (world) => world.fault('reviews-v1-b', {}),
  },
  {
    name: 'one fails',
    story: 'reviews-v1-b is well again. reviews-v1-c now answers 503 at once: wrong, but quicker than all others.',
    share: 0.15,
    enter: (world) => world.fault('reviews-v1-c', { status: 503 }),
    leave: (world) => world.fault('reviews-v1-c', {}),
  },
  {
    name: 'one is killed',
    story: 'reviews-v1-c is well again. The process of reviews-v1-a is killed in the middle of its work, and comes back a little later.',
    share: 0.17,
    enter: async (world, phaseMs) => {
      world.kill('reviews-v1-a');
      await sleep(phaseMs * 0.4);
      await world.restart('reviews-v1-a');
    },
  },
  {
    name: 'new certificates',
    story:
      'All is well again. Every service is issued a new certificate and takes it while it runs: new connections, the old calls finish.',
    share: 0.14,
    enter: (world) => world.rotate(),
  },
  {
    name: 'a canary fails',
    story: 'A new version, v3, is given 5 % of the users: mesh.yaml is rewritten, nothing restarts. And v3 answers 503.',
    share: 0.16,
    enter: (world) => {
      world.fault('reviews-v3-a', { status: 503 });
      world.setWeights(SPLIT_WITH_CANARY);
    },
  },
];
