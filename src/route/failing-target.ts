// A target that cannot be called, because what it names is not there: its share of the calls is answered as the mesh of
// the rule would. Source: Istio NC, Gateway API invalid backendRef.
import type { Clock } from '../core/clock.ts';
import { ERROR_HEADER } from '../core/headers.ts';
import { answer } from '../core/made-reply.ts';
import type { Service } from '../core/service.ts';
import type { TargetFailure } from '../model/route.ts';

export function failingTarget({ status, flag }: TargetFailure, clock: Clock): Service {
  const headers = { server: 'inmesh', [ERROR_HEADER]: 'no_endpoint', 'x-inmesh-flag': flag };
  return (call) => answer(call, clock.now(), { status, headers });
}
