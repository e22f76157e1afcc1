// The way of a call that comes in, outermost entry first: from the server's socket to the handler. The same two types and
// the same rules as the stacks of stack.ts.
import type { Clock } from '../core/clock.ts';
import type { Layer } from '../core/service.ts';
import { inboundAdmissionLayer } from '../inbound/admission-layer.ts';
import { type ExpiredCalls, inboundDeadlineLayer } from '../inbound/deadline-layer.ts';
import type { Places } from '../inbound/places.ts';
import type { InboundConfig } from '../model/inbound.ts';

export interface InboundDeps {
  readonly config: InboundConfig;
  readonly clock: Clock;
  readonly expired: ExpiredCalls;
  /** null: every call is taken. */
  readonly places: Places | null;
}

/** As StackEntry of stack.ts, which lists this stack and so cannot be imported here. */
interface InboundEntry {
  readonly role: string;
  readonly why: string;
  readonly above: readonly string[];
  readonly below: readonly string[];
  readonly make: (deps: InboundDeps) => Layer | null;
}

/** A place that is kept: nothing stands there yet. */
const PLACE = (): null => null;

export const INBOUND_STACK: readonly InboundEntry[] = [
  {
    role: 'inbound-span',
    why: 'Outermost, so that the span of the server tells of calls that are refused, too.',
    above: ['inbound-metrics', 'inbound-deadline', 'authorize', 'inbound-admission', 'handler'],
    below: [],
    make: PLACE,
  },
  {
    role: 'inbound-metrics',
    why: 'Counts what callers get, refusals included.',
    above: ['inbound-deadline', 'authorize', 'inbound-admission', 'handler'],
    below: ['inbound-span'],
    make: PLACE,
  },
  {
    role: 'inbound-deadline',
    why: 'Before all work: what nobody waits for any more is neither authorized nor begun.',
    above: ['authorize', 'inbound-admission', 'handler'],
    below: ['inbound-span', 'inbound-metrics'],
    make: ({ expired, clock }) => inboundDeadlineLayer(expired, clock),
  },
  {
    role: 'authorize',
    why: 'Above admission: who may not call takes no place from those who may.',
    above: ['inbound-admission', 'handler'],
    below: ['inbound-deadline'],
    make: PLACE,
  },
  {
    role: 'inbound-admission',
    why: 'Last before the handler, and before the body is read: a place is taken only by a call that will be served.',
    above: ['handler'],
    below: ['inbound-deadline', 'authorize'],
    make: ({ places, config }) =>
      places === null || config.admission === null ? null : inboundAdmissionLayer(places, config.admission.retryAfterMs),
  },
  {
    role: 'handler',
    why: 'The leaf: your handler, run in the context of its caller; it writes its answer itself.',
    above: [],
    below: ['inbound-deadline', 'inbound-admission'],
    make: PLACE,
  },
];
