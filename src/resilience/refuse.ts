// How a layer of this folder says no: the call is ended first, then the promise rejects, as core/service.ts demands.
import type { Call } from '../core/call.ts';
import { kindOfError } from '../core/classify.ts';
import { type ErrorPlace, type MeshErrorInit, meshError } from '../core/errors.ts';

/** Ends the call with the error, and gives the rejection to return. */
export function refuse(call: Call, nowMs: number, init: Omit<MeshErrorInit, 'where'>): Promise<never> {
  const error = meshError({ ...init, where: placeOf(call) });
  call.end({ kind: kindOfError(error), status: 0, error, endedAtMs: nowMs });
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
