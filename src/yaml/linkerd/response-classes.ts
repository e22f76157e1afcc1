// Which answers a ServiceProfile's route counts as failures: the first class that fits decides, else 5xx is one.
// Source: linkerd2-proxy app/core/src/classify.rs, service-profiles/src/proto.rs.
import type { ResponseClassSpec, ResponseMatchSpec } from './profile-spec.ts';

const STATUS_MIN = 100;
const STATUS_MAX = 599;

/** gRPC statuses that count where no class has decided. Source: linkerd2-proxy client-policy/src/grpc.rs. */
export const GRPC_FAILURES: readonly number[] = Object.freeze([2, 4, 7, 13, 14, 15]);

/** Ascending. */
export function failingStatuses(classes: readonly ResponseClassSpec[]): number[] {
  const known = classes.flatMap(({ condition, isFailure = false }) => {
    const fits = testOf(condition);
    return fits === null ? [] : [{ fits, isFailure }];
  });
  const statuses: number[] = [];
  for (let status = STATUS_MIN; status <= STATUS_MAX; status++) {
    const found = known.find(({ fits }) => fits(status));
    if (found === undefined ? status >= 500 : found.isFailure) statuses.push(status);
  }
  return statuses;
}

type Test = (status: number) => boolean;

/** All that is named must hold. The proxy drops a range without one of its ends, and what is empty then; null: nothing is left. */
export function testOf({ status, all, any: some, not }: ResponseMatchSpec): Test | null {
  const parts: (Test | null)[] = [];
  if (all !== undefined) parts.push(every(all.map(testOf)));
  if (some !== undefined) {
    const tests = kept(some.map(testOf));
    parts.push(tests.length === 0 ? null : (code) => tests.some((test) => test(code)));
  }
  if (status !== undefined) parts.push(rangeOf(status.min ?? 0, status.max ?? 0));
  if (not !== undefined) {
    const test = testOf(not);
    parts.push(test === null ? null : (code) => !test(code));
  }
  return every(parts);
}

function rangeOf(min: number, max: number): Test | null {
  return min < STATUS_MIN || max < STATUS_MIN ? null : (code) => code >= min && code <= max;
}

function every(parts: readonly (Test | null)[]): Test | null {
  const tests = kept(parts);
  return tests.length === 0 ? null : (code) => tests.every((test) => test(code));
}

function kept(parts: readonly (Test | null)[]): Test[] {
  return parts.filter((part) => part !== null);
}

/** Whether nothing in it is dropped. */
export function isWhole({ status, all, any: some, not }: ResponseMatchSpec): boolean {
  const isRange = status === undefined || rangeOf(status.min ?? 0, status.max ?? 0) !== null;
  return isRange && [...(all ?? []), ...(some ?? []), ...(not === undefined ? [] : [not])].every(isWhole);
}
