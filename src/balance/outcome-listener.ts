// What the balancer asks and tells for the sake of `limits.adaptive` and `healthCheck`. Null where a policy is absent: then
// there is nothing to ask, and nobody to tell.
import type { Call, Outcome } from '../core/call.ts';
import type { AdaptiveLimitPolicy } from '../model/destination.ts';
import { adaptiveLimitOf } from './adaptive-limit.ts';
import type { LiveEndpoint } from './endpoint.ts';
import type { Room } from './picker.ts';

type OutcomeListener = (endpoint: LiveEndpoint, attempt: Call, outcome: Outcome) => void;

/** Whether an endpoint may take one more attempt. What it has learnt stays with the endpoint. */
export function adaptiveRoom(policy: AdaptiveLimitPolicy | null): Room | null {
  if (policy === null) return null;
  return ({ standing, inFlight }) => adaptiveLimitOf(standing, policy)?.hasRoom(inFlight) !== false;
}

/** To be told of every ending while the attempt still counts as in flight. */
export function outcomeListener(adaptive: AdaptiveLimitPolicy | null, isChecked: boolean): OutcomeListener | null {
  if (adaptive === null) return isChecked ? noteUse : null;
  return isChecked ? noteBoth : noteLoad;
}

function noteLoad({ standing, inFlight }: LiveEndpoint, attempt: Call, outcome: Outcome): void {
  standing.limit?.record(attempt, outcome, inFlight);
}

/** Who has just been used is not asked for its health. An ending that counts for nobody tells nothing. */
function noteUse({ standing }: LiveEndpoint, _attempt: Call, outcome: Outcome): void {
  if (outcome.kind !== 'ignored') standing.usedAtMs = outcome.endedAtMs;
}

function noteBoth(endpoint: LiveEndpoint, attempt: Call, outcome: Outcome): void {
  noteLoad(endpoint, attempt, outcome);
  noteUse(endpoint, attempt, outcome);
}
