// Outlier detection played by hand: endpoints e0, e1, … and endings in one character each.
import type { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { EndpointSet } from '../../src/balance/endpoint-set.ts';
import { Outlier } from '../../src/balance/outlier.ts';
import type { OutlierDeps, OutlierDetector } from '../../src/balance/outlier-detector.ts';
import type { Call, Outcome } from '../../src/core/call.ts';
import { kindOfError, kindOfStatus } from '../../src/core/classify.ts';
import type { MeshErrorCode, Sent } from '../../src/core/errors.ts';
import type { MeshEvent } from '../../src/core/events.ts';
import { BALANCER_DEFAULTS, OUTLIER_DEFAULTS, type OutlierPolicy } from '../../src/model/destination.ts';
import { pair, testCall, testError } from '../support/fake-service.ts';

const STATUSES: Readonly<Record<string, number>> = { '+': 200, '-': 503, '5': 500, '2': 502, '7': 504, '4': 404, '9': 429 };

const ERRORS: Readonly<Record<string, [MeshErrorCode, Sent]>> = {
  x: ['connection_lost', 'head'],
  c: ['connect_failed', 'none'],
  t: ['attempt_timeout', 'head'],
  /** The time ran out before there was a connection. */
  w: ['attempt_timeout', 'none'],
  d: ['deadline_exceeded', 'head'],
  r: ['not_processed', 'none'],
  p: ['protocol_error', 'head'],
  f: ['call_failed', 'body'],
  '?': ['canceled', 'none'],
  u: ['peer_untrusted', 'none'],
};

export class DetectorRig<Detector extends OutlierDetector> {
  readonly events: MeshEvent[] = [];
  readonly set: EndpointSet;
  readonly outlier: Detector;
  nowMs = 1_000;

  constructor(size: number, make: (deps: OutlierDeps, nowMs: number) => Detector, more: Partial<OutlierDeps> = {}) {
    this.set = new EndpointSet(BALANCER_DEFAULTS, { leaf: () => pair()[0] });
    this.resize(size);
    const emit = (event: MeshEvent): void => void this.events.push(event);
    this.outlier = make({ service: 'reviews', set: this.set, random: () => 0, emit, ...more }, this.nowMs);
  }

  resize(size: number): void {
    const configs = Array.from({ length: size }, (_, index) => ({ address: `e${index}:1`, labels: {}, locality: '', weight: 1 }));
    this.set.update(configs, this.nowMs);
  }

  at(index: number): LiveEndpoint {
    return this.set.all[index] as LiveEndpoint;
  }

  /** One ending per ms on the endpoint; for the signs see `STATUSES` and `ERRORS`. */
  play(index: number, endings: string): void {
    for (const sign of endings) {
      this.nowMs += 1;
      this.outlier.record(this.at(index), this.start(), this.ending(sign));
    }
  }

  /** Many endings in no time. */
  burst(index: number, endings: string): void {
    for (const sign of endings) this.outlier.record(this.at(index), this.start(), this.ending(sign));
  }

  start(): Call {
    return testCall({ startedAtMs: this.nowMs });
  }

  /** A status may be followed by an error in the body: `ending('+', 'x')`. */
  ending(sign: string, then = ''): Outcome {
    const [code, sent] = ERRORS[then === '' ? sign : then] ?? [];
    const status = STATUSES[sign] ?? 0;
    const error = code === undefined ? null : testError(code, { sent: status === 0 ? (sent ?? 'none') : 'body' });
    return { kind: error === null ? kindOfStatus(status) : kindOfError(error), status, error, endedAtMs: this.nowMs };
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

  /** Length of each ejection so far, ms. */
  get ejections(): number[] {
    return this.events.flatMap((event) => (event.type === 'endpointEjected' ? [event.forMs] : []));
  }

  /** The rule of each ejection so far. */
  get rules(): string[] {
    return this.events.flatMap((event) => (event.type === 'endpointEjected' ? [event.rule] : []));
  }
}

/** Our own rule. */
export class OutlierRig extends DetectorRig<Outlier> {
  constructor(size: number, policy: Partial<OutlierPolicy> = {}, random: () => number = () => 0, more: Partial<OutlierDeps> = {}) {
    super(size, (deps) => new Outlier({ ...OUTLIER_DEFAULTS, ...policy }, deps), { random, ...more });
  }
}
