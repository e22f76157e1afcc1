// S14: the name service fails, lies, or has news. The real source of endpoints, with answers out of a script.
import type { DnsResolver } from '../../../src/discovery/source.ts';
import { simulate, type SimWorld, type SimulationResult } from '../../../src/testing.ts';
import { lookupEachTime, useEverywhere } from './others.ts';
import { atLeast, atMost, type Case, type Figure, type Scenario, seconds, seen } from './scenario.ts';

const TTL_S = 30;
const FROM_MS = 60_000;
const UNTIL_MS = 360_000;
const CLIENTS = 5;

/** A name service, and how it was asked. */
class Names {
  now: () => number = () => 0;
  addresses: readonly string[] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
  /** Code of the error that it answers with; '' when it is well. */
  fault = '';
  readonly askedAtMs: number[] = [];
  /** Told of each question, before it is answered. */
  onAsk: (atMs: number) => void = () => {};

  readonly resolver: DnsResolver = {
    resolve4: () => {
      this.askedAtMs.push(this.now());
      this.onAsk(this.now());
      if (this.fault !== '') return failing(this.fault);
      return Promise.resolve(this.addresses.map((address) => ({ address, ttl: TTL_S })));
    },
    resolve6: () => failing(this.fault === '' ? 'ENODATA' : this.fault),
    resolveSrv: () => failing('ENODATA'),
    lookup: () => failing('ENOTFOUND'),
  };
}

function failing(code: string): Promise<never> {
  return Promise.reject(Object.assign(new Error(code), { code }));
}

interface Plan {
  readonly clients: number;
  readonly durationMs: number;
  readonly prepare: (world: SimWorld, names: Names) => void;
}

function named(names: Names, { clients, durationMs, prepare }: Plan, seed: number): Promise<SimulationResult> {
  return simulate({
    config: { services: { target: { timeout: '1s', dns: 'target.mesh:80' } } },
    resolver: names.resolver,
    clients,
    endpoints: { workers: 4, serviceMs: 20 },
    load: 50 * clients,
    durationMs,
    seed,
    prepare: (world) => {
      names.now = () => world.nowMs;
      prepare(world, names);
    },
  });
}

/** Fails with the code for five minutes. */
function fails(code: string): Plan['prepare'] {
  return ({ at }, names) => {
    at(FROM_MS, () => {
      names.fault = code;
    });
    at(UNTIL_MS, () => {
      names.fault = '';
    });
  };
}

const errorsOf = (result: SimulationResult, fromMs: number, toMs: number): number => {
  const { calls, goodput } = result.stats(fromMs, toMs);
  return Math.round(calls * (1 - goodput));
};

const outage = (name: string, code: string): Case => ({
  name: `${name} for 5 min`,
  run: async (seed): Promise<Figure[]> => {
    const names = new Names();
    const result = await named(names, { clients: 1, durationMs: UNTIL_MS + 40_000, prepare: fails(code) }, seed);
    const asked = names.askedAtMs.filter((atMs) => atMs >= FROM_MS && atMs < UNTIL_MS);
    return [
      atMost('errors', errorsOf(result, FROM_MS, UNTIL_MS), 0),
      atMost('lookups in 5 s', mostWithin(asked, 5_000), 1),
      seen('lookups', asked.length),
    ];
  },
});

/** Most of the times that lie within one stretch of that length. */
function mostWithin(times: readonly number[], lengthMs: number): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + lengthMs).length));
}

/** All old addresses refuse, and the name gives new ones. `justAsked`: right after a client asked, so that its next question is furthest away. */
const swap = (name: string, justAsked: boolean): Case => ({
  name,
  run: async (seed): Promise<Figure[]> => {
    const names = new Names();
    let swappedAtMs = Number.POSITIVE_INFINITY;
    const change = ({ endpoint }: SimWorld): void => {
      for (const address of names.addresses) endpoint(`${address}:80`).behave('refuse');
      names.addresses = ['10.0.1.1', '10.0.1.2', '10.0.1.3'];
      swappedAtMs = names.now();
    };
    const prepare = (world: SimWorld): void => {
      if (!justAsked) world.at(FROM_MS, () => change(world));
      else {
        names.onAsk = (atMs) => {
          if (atMs < FROM_MS || swappedAtMs !== Number.POSITIVE_INFINITY) return;
          swappedAtMs = atMs;
          world.at(atMs + 1, () => change(world));
        };
      }
    };
    const result = await named(names, { clients: 1, durationMs: FROM_MS + 2 * TTL_S * 1_000, prepare }, seed);
    const firstMs = result.attemptTimes((address) => address.startsWith('10.0.1.'))[0] ?? Number.POSITIVE_INFINITY;
    return [
      atMost('new addresses used after s', seconds(firstMs - swappedAtMs), 6),
      atMost('all well after s', seconds(result.recoveryMs(swappedAtMs, { forMs: 1_000 })), 6),
      atMost('lookups in 5 s', mostWithin(names.askedAtMs, 5_000), 1),
    ];
  },
});

export const S14: Scenario = {
  id: 'S14',
  title: 'DNS: errors and negative answers for 5 min, other addresses; TTL 30 s',
  notes: ['A TTL below 5 s is obeyed, down to 1 s: then it is the name itself that asks for more lookups.'],
  cases: [
    outage('server failure', 'ESERVFAIL'),
    outage('no answer', 'ETIMEOUT'),
    outage('negative answer', 'ENOTFOUND'),
    outage('no address', 'ENODATA'),
    swap('other addresses, the old ones refuse', false),
    swap('the same, right after a lookup', true),
    {
      name: 'asks before each call',
      isControl: true,
      run: async (seed) => {
        const names = new Names();
        const prepare = (world: SimWorld): void => {
          fails('ESERVFAIL')(world, names);
          useEverywhere(
            world,
            lookupEachTime(() => names.resolver.resolve4('target.mesh')),
            { above: 'router' },
          );
        };
        const result = await named(names, { clients: CLIENTS, durationMs: UNTIL_MS, prepare }, seed);
        return [atLeast('errors %', 100 * (1 - result.stats(FROM_MS, UNTIL_MS).goodput), 99)];
      },
    },
  ],
};
