// Takes annotations of one resource one by one, and reports at their own place what is wrong with them.
import type { ConfigPath } from '../../model/issue.ts';
import { nearest } from '../../model/nearest.ts';
import type { Resource } from '../resource.ts';
import type { Parsed } from './annotation-words.ts';

/** All that Linkerd reads on a Service or a route, as far as it concerns its callers. */
export const ANNOTATIONS: readonly string[] = Object.freeze([
  'retry.linkerd.io/http',
  'retry.linkerd.io/grpc',
  'retry.linkerd.io/limit',
  'retry.linkerd.io/timeout',
  'timeout.linkerd.io/request',
  'timeout.linkerd.io/response',
  'timeout.linkerd.io/idle',
  'balancer.linkerd.io/failure-accrual',
  'balancer.linkerd.io/failure-accrual-consecutive-max-failures',
  'balancer.linkerd.io/failure-accrual-consecutive-min-penalty',
  'balancer.linkerd.io/failure-accrual-consecutive-max-penalty',
  'balancer.linkerd.io/failure-accrual-consecutive-jitter-ratio',
  'balancer.alpha.linkerd.io/failure-accrual-success-rate-threshold',
  'balancer.alpha.linkerd.io/failure-accrual-success-rate-window',
  'balancer.alpha.linkerd.io/failure-accrual-success-rate-min-requests',
  'balancer.alpha.linkerd.io/failure-accrual-honor-retry-after',
  'balancer.alpha.linkerd.io/penalize-failures',
  'balancer.alpha.linkerd.io/load-biaser-penalty',
  'balancer.alpha.linkerd.io/load-biaser-max-retry-after',
]);

/** Prefixes whose every annotation is one of the above. */
const OURS = /^(?:retry|timeout|balancer|balancer\.alpha)\.linkerd\.io\//;

export function pathOf(annotation: string): ConfigPath {
  return ['metadata', 'annotations', annotation];
}

export function linkerdAnnotations({ annotations }: Resource): string[] {
  return Object.keys(annotations).filter((key) => OURS.test(key));
}

/** Linkerd passes over an annotation that it does not know; here that is a mistake. */
export function checkAnnotations(resource: Resource, lenient: boolean): void {
  const { report } = resource;
  for (const key of linkerdAnnotations(resource)) {
    if (ANNOTATIONS.includes(key)) continue;
    const detail = { part: 'key' as const, suggestion: nearest(key, ANNOTATIONS), allowed: ANNOTATIONS };
    if (lenient) report.warn(pathOf(key), `Linkerd knows no annotation ${key}`, detail);
    else report.error(pathOf(key), `Linkerd knows no annotation ${key}`, detail);
  }
}

export class AnnotationReader {
  readonly #resource: Resource;
  readonly #lenient: boolean;
  #hasFault = false;

  constructor(resource: Resource, lenient: boolean) {
    this.#resource = resource;
    this.#lenient = lenient;
  }

  /** Whether one of those that were taken cannot be used: then Linkerd uses none of them. */
  get hasFault(): boolean {
    return this.#hasFault;
  }

  /** undefined: it is absent, or wrong. */
  take<T>(annotation: string, parse: (text: string) => Parsed<T>): T | undefined {
    const text = this.#resource.annotations[annotation];
    if (text === undefined) return undefined;
    const parsed = parse(text);
    if ('value' in parsed) return parsed.value;
    const path = pathOf(annotation);
    this.fault(path, `${annotation} ${this.#resource.report.show(path, text)}: ${parsed.fault}`);
    return undefined;
  }

  fault(path: ConfigPath, message: string): void {
    this.#hasFault = true;
    const { report } = this.#resource;
    if (this.#lenient) report.warn(path, `${message}; Linkerd then does as if there were none`);
    else report.error(path, message);
  }

  warn(annotation: string, message: string, code?: string): void {
    this.#resource.report.warn(pathOf(annotation), message, code === undefined ? {} : { code });
  }
}
