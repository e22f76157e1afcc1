// Outlier detection played by hand: endpoints e0, e1, … and endings in one character each.
import type { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { EndpointSet } from '../../src/balance/endpoint-set.ts';
import { Outlier } from '../../src/balance/outlier.ts';
import type { Call, Outcome, OutcomeKind } from '../../src/core/call.ts';
import type { MeshEvent } from '../../src/core/events.ts';
import { BALANCER_DEFAULTS, OUTLIER_DEFAULTS, type OutlierPolicy } from '../../src/model/destination.ts';
import { pair, testCall, testError } from '../support/fake-service.ts';

export class OutlierRig {
  readonly events: MeshEvent[] = [];
  readonly set: EndpointSet;
  readonly outlier: Outlier;
  nowMs = 1_000;

  constructor(size: number, policy: Partial<OutlierPolicy> = {}, random: () => number = () => 0) {
    this.set = new EndpointSet(BALANCER_DEFAULTS, { leaf: () => pair()[0] });
    this.resize(size);
    const { set } = this;
    this.outlier = new Outlier(
      { ...OUTLIER_DEFAULTS, ...policy },
      { service: 'reviews', set, random, emit: (event) => this.events.push(event) },
    );
  }

  resize(size: number): void {
    const configs = Array.from({ length: size }, (_, index) => ({ address: `e${index}:1`, labels: {}, locality: '', weight: 1 }));
    this.set.update(configs, this.nowMs);
  }

  at(index: number): LiveEndpoint {
    return this.set.all[index] as LiveEndpoint;
  }

  /** `+` good, `-` 503, `x` connection lost, `5` 500, `?` ignored; a ms apart, on the endpoint. */
  play(index: number, endings: string): void {
    for (const sign of endings) {
      this.nowMs += 1;
      this.outlier.record(this.at(index), this.start(), this.ending(sign));
    }
  }

  start(): Call {
    return testCall({ startedAtMs: this.nowMs });
  }

  ending(sign: string): Outcome {
    const kind: OutcomeKind = sign === '+' ? 'success' : sign === '?' ? 'ignored' : 'failure';
    const status = sign === '+' ? 200 : sign === '-' ? 503 : sign === '5' ? 500 : 0;
    const error = sign === 'x' ? testError('connection_lost') : sign === '?' ? testError('canceled') : null;
    return { kind, status, error, endedAtMs: this.nowMs };
  }

  advance(ms: number): void {
    this.nowMs += ms;
    this.outlier.advance(this.nowMs);
  }

  get states(): string {
    return this.set.all.map(({ standing }) => (standing.state === 'in' ? '+' : standing.state === 'ejected' ? '-' : '?')).join('');
  }

  /** Ejects by a run of five. */
  eject(index: number): void {
    this.play(index, '-----');
  }

  probe(index: number, sign: string): void {
    const call = this.start();
    this.outlier.beginProbe(this.at(index), call);
    this.nowMs += 1;
    this.outlier.record(this.at(index), call, this.ending(sign));
  }
}
