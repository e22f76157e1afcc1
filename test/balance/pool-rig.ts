// A balancer over hand-played endpoints in localities: `a@eu/x b@eu/y!1` names them, `!1` gives a priority.
import { balancer, type BalancerDeps } from '../../src/balance/balancer.ts';
import type { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { EndpointSet } from '../../src/balance/endpoint-set.ts';
import { makePicker } from '../../src/balance/make-picker.ts';
import { Outlier } from '../../src/balance/outlier.ts';
import type { Call, Reply } from '../../src/core/call.ts';
import type { Service } from '../../src/core/service.ts';
import { LOCALITY_DEFAULTS, type LocalityPolicy } from '../../src/model/balancing.ts';
import { BALANCER_DEFAULTS, type BalancerPolicy, type EndpointConfig, OUTLIER_DEFAULTS } from '../../src/model/destination.ts';
import { type FakeReply, type FakeServer, pair, type Seen, type TestCallInit, testCall } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export const ZONE: LocalityPolicy = LOCALITY_DEFAULTS;
export const PRIORITY: LocalityPolicy = { ...LOCALITY_DEFAULTS, mode: 'priority', retriesLeave: false };

export interface PoolOptions extends Partial<Omit<BalancerDeps, 'policy'>> {
  readonly policy?: Partial<BalancerPolicy>;
}

export class PoolRig {
  readonly clock = new VirtualClock();
  readonly server: FakeServer;
  readonly set: EndpointSet;
  readonly outlier: Outlier;
  /** Random numbers drawn so far by the balancer. */
  draws = 0;
  readonly #service: Service;

  constructor(names: string, options: PoolOptions = {}) {
    const [leaf, server] = pair({ clock: this.clock });
    this.server = server;
    const policy: BalancerPolicy = { ...BALANCER_DEFAULTS, kind: 'roundRobin', locality: ZONE, ...options.policy };
    this.set = new EndpointSet(policy, { leaf: () => leaf });
    this.resize(names);
    const random = seededRandom(1);
    this.outlier = new Outlier({ ...OUTLIER_DEFAULTS, jitter: 0 }, { service: 'reviews', set: this.set, random, emit: () => {} });
    this.#service = balancer({
      set: this.set,
      labels: null,
      spillTo: [],
      picker: makePicker(policy, seededRandom(2)),
      outlier: this.outlier,
      clock: this.clock,
      destinationName: 'reviews',
      self: { locality: 'eu/x/1', labels: {} },
      random: () => {
        this.draws++;
        return random();
      },
      ...options,
      policy,
    });
  }

  resize(names: string): void {
    this.set.update(names.split(' ').filter(Boolean).map(configOf), this.clock.now());
  }

  /** Sends an attempt of a new call; `tried` names endpoints of earlier ones. */
  send(tried = '', init: TestCallInit = {}): { attempt: Call; answer: Promise<Reply>; to: string } {
    const call = testCall({ startedAtMs: this.clock.now(), ...init });
    if (tried !== '') call.tried = [...tried].map((name) => this.get(name));
    const attempt = call.fork(tried.length + 1, this.clock.now());
    const answer = this.#service(attempt);
    answer.catch(() => {});
    return { attempt, answer, to: attempt.endpoint?.host ?? '-' };
  }

  get(name: string): LiveEndpoint {
    return this.set.all.find(({ host }) => host === name) as LiveEndpoint;
  }

  last(): Seen {
    return this.server.seen.at(-1) as Seen;
  }

  answer(headers: Record<string, string> = {}): FakeReply {
    const reply = this.last().reply(200, headers);
    this.last().end();
    return reply;
  }

  /** Where the next calls go, in letters; each is answered after 5 ms. */
  route(times: number, tried = '', init: TestCallInit = {}): string {
    let all = '';
    for (let i = 0; i < times; i++) {
      const { to } = this.send(tried, init);
      all += to;
      if (to === '-') continue;
      this.clock.advance(5);
      this.answer();
    }
    return all;
  }

  /** Whom the next calls reach, once each. */
  reached(times: number, tried = '', init: TestCallInit = {}): string {
    return [...new Set(this.route(times, tried, init))].sort().join('');
  }

  /** Out for `forMs`; then in probation. */
  eject(names: string, forMs = 1e9): void {
    for (const name of names) {
      const untilMs = this.clock.now() + forMs;
      Object.assign(this.get(name).standing, { state: 'ejected', sinceMs: this.clock.now(), untilMs, ejectedForMs: forMs });
    }
    this.outlier.update({ ...OUTLIER_DEFAULTS, jitter: 0 });
  }

  /** Out, and waiting for a probe that nobody may be. */
  probation(names: string): void {
    for (const name of names) {
      Object.assign(this.get(name).standing, { state: 'probation', untilMs: Number.POSITIVE_INFINITY, ejectedForMs: 1e9 });
    }
    this.outlier.update({ ...OUTLIER_DEFAULTS, jitter: 0 });
  }

  sicken(names: string, unhealthy = true): void {
    for (const name of names) this.get(name).standing.unhealthy = unhealthy;
    this.set.standingChanged();
  }
}

function configOf(name: string): EndpointConfig {
  const [host = '', rest = ''] = name.split('@');
  const [locality = '', priority] = rest.split('!');
  return { address: `${host}:1`, labels: {}, locality, weight: 1, ...(priority === undefined ? {} : { priority: Number(priority) }) };
}

/** Share of a letter in a text. */
export function shareOf(letter: string, text: string): number {
  return [...text].filter((one) => one === letter).length / text.length;
}
