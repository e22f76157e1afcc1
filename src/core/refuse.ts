// How something of ours says no: the call is ended first, then the promise rejects, as the contract of Service demands.
import type { Call, OutcomeKind } from './call.ts';
import { kindOfError } from './classify.ts';
import { type ErrorPlace, type MeshErrorInit, meshError } from './errors.ts';

/** Ends the call with the error, and gives the rejection to return. `kind` is who is to blame. @default by the code */
export function refuse(call: Call, nowMs: number, init: Omit<MeshErrorInit, 'where'>, kind?: OutcomeKind): Promise<never> {
  const error = meshError({ ...init, where: placeOf(call) });
  call.end({ kind: kind ?? kindOfError(error), status: 0, error, endedAtMs: nowMs });
  return Promise.reject(error);
}

/** What is known of the place of a call. */
export function placeOf(call: Call): ErrorPlace {
  return {
    ...(call.route === null ? {} : { route: call.route.name }),
    ...(call.destination === null ? {} : { service: call.destination.service, destination: call.destination.name }),
    ...(call.endpoint === null ? {} : { endpoint: call.endpoint.address }),
    ...(call.attempt === 0 ? {} : { attempt: call.attempt }),
  };
}
