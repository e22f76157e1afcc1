// Sends copies of a call to others, and forgets them. A copy is a call of its own: it shares no outcome, no cancel and no
// body with the first, which is passed on before the copy is made and never waits for it. Above the retries, so that what is
// repeated is not copied again; below whatever changes or refuses the call. Source: Envoy `request_mirror_policies`.
import { type Body, Call, type DestinationRef, type EndListener, type Reply } from '../core/call.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Layer, Service } from '../core/service.ts';
import { TIMEOUT_MS_DEFAULT } from '../model/config.ts';
import type { MirrorPolicy } from '../model/traffic.ts';
import type { Mirrors } from './mirrors.ts';
import { withoutHeaders } from './without-headers.ts';

/** One mirror. */
export interface MirrorTarget {
  readonly policy: MirrorPolicy;
  readonly destination: DestinationRef;
  /** The stack of the destination, without retries. */
  readonly send: Service;
}

export interface MirrorDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly mirrors: Mirrors;
  /** The same bytes, for a second call at the same time; null when the first would notice. */
  readonly copyOf: (body: Body) => Body | null;
}

/** Whoever is short of room drops the copies first: index of `sheddable`. */
const CRITICALITY = 0;

export function mirrorLayer(targets: readonly MirrorTarget[], deps: MirrorDeps): Layer {
  const { mirrors, random } = deps;
  const onEnd: EndListener = (copy) => {
    mirrors.end();
    copy.body?.release();
  };
  const mirror = (call: Call, target: MirrorTarget): void => {
    const copy = mirrors.hasRoom ? copied(call, target, deps) : null;
    if (copy === null) {
      mirrors.drop();
      return;
    }
    mirrors.begin();
    copy.onEnd(onEnd);
    send(copy, target.send, deps.clock);
  };
  return (next) => (call) => {
    const answered = next(call);
    if (!isWorthCopying(call)) return answered;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i] as MirrorTarget;
      if (target.policy.of !== undefined && !isDrawn(target.policy.of, call)) continue;
      if (random() * 100 < target.policy.percent) mirror(call, target);
    }
    return answered;
  };
}

/** What was refused on the spot was seen by nobody; an upgrade is no message that can be copied. */
function isWorthCopying({ outcome, upgrade }: Call): boolean {
  return upgrade === '' && (outcome === null || outcome.error === null);
}

/** The split below has run by now. A target that answers at once, as a failing one does, is not the one that is meant. */
function isDrawn({ service, subset = '' }: NonNullable<MirrorPolicy['of']>, { destination, outcome }: Call): boolean {
  return outcome === null && destination?.service === service && destination.subset === subset;
}

/** null when there is a body that cannot be had, is longer than allowed, or of unknown length. */
function copied(call: Call, target: MirrorTarget, { clock, copyOf }: MirrorDeps): Call | null {
  const { policy, destination } = target;
  let body: Body | null = null;
  if (call.body !== null) {
    if (call.body.length < 0 || call.body.length > policy.bodyBytesMax) return null;
    body = copyOf(call.body);
    if (body === null) return null;
  }
  const headers = unsampled(withoutHeaders(call.headers, policy.stripHeaders));
  const authority = withSuffix(call.authority, policy.hostSuffix);
  const nowMs = clock.now();
  const copy = new Call({ scheme: call.scheme, authority, method: call.method, path: call.path, headers, body }, nowMs);
  copy.route = call.route;
  copy.destination = destination;
  copy.criticality = CRITICALITY;
  copy.carrier = call.carrier;
  // Nobody waits for a copy, so without a deadline nobody would end it.
  copy.deadlineMs = Number.isFinite(call.deadlineMs) ? call.deadlineMs : nowMs + TIMEOUT_MS_DEFAULT;
  return copy;
}

/** Never throws, leaves no rejection unheard and no copy open, whatever the layers of users below do. */
function send(copy: Call, service: Service, clock: Clock): void {
  const fail = (): void => copy.end({ kind: 'ignored', status: 0, error: null, endedAtMs: clock.now() });
  try {
    service(copy).then(discard).catch(fail);
  } catch {
    fail();
  }
}

function discard(reply: Reply): void {
  reply.discard();
}

/** Before the port. A literal IPv6 address stays: with a suffix it would be no host at all. Source: Envoy `shadow` host. */
function withSuffix(authority: string, suffix: string): string {
  if (suffix === '' || authority.startsWith('[')) return authority;
  const colon = authority.lastIndexOf(':');
  return colon < 0 ? authority + suffix : authority.slice(0, colon) + suffix + authority.slice(colon);
}

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace of the call goes on in the copy, unrecorded: or each call would seem to have been served twice. Source: Envoy. */
function unsampled(headers: string[]): string[] {
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1] as string;
    const isTrace = (headers[i] as string).toLowerCase() === 'traceparent' && TRACEPARENT.test(value);
    if (isTrace) headers[i + 1] = `${value.slice(0, -2)}00`;
  }
  return headers;
}
