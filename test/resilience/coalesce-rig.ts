// Coalescing over a leaf that the test plays by hand: callers that read, or do not, and what was told to each.
import type { Call, EndListener, Outcome, Reply } from '../../src/core/call.ts';
import type { Layer, Service } from '../../src/core/service.ts';
import { COALESCE_DEFAULTS, type CoalescePolicy } from '../../src/model/traffic.ts';
import { coalesceLayer } from '../../src/resilience/coalesce-layer.ts';
import { Flights } from '../../src/resilience/flights.ts';
import { type FakeReply, type FakeServer, type Seen, pair, type TestCallInit, testCall } from '../support/fake-service.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';
import { type Reading, startReading } from './read-body.ts';

export interface Caller {
  readonly call: Call;
  readonly answer: Promise<Reply>;
  readonly outcomes: Outcome[];
  reply: Reply | null;
  error: unknown;
  reading: Reading | null;
}

export interface CoalesceRig {
  readonly clock: VirtualClock;
  readonly flights: Flights;
  readonly server: FakeServer;
  readonly counted: string[];
  /** Attaches to its answer at once, unless told not to. */
  send(init?: TestCallInit, reads?: boolean): Caller;
}

export function coalesceRig(policy: Partial<CoalescePolicy> = {}, below: Layer = (next: Service) => next): CoalesceRig {
  const clock = new VirtualClock();
  const [leaf, server] = pair({ clock });
  const counted: string[] = [];
  const flights = new Flights({ ...COALESCE_DEFAULTS, ...policy }, { clock, onAction: (action) => counted.push(action) });
  const service = coalesceLayer(flights)(below(leaf));
  return {
    clock,
    flights,
    server,
    counted,
    send(init = {}, reads = true) {
      const call = testCall({ startedAtMs: clock.now(), deadlineMs: clock.now() + 30_000, ...init });
      const outcomes: Outcome[] = [];
      const onEnd: EndListener = (_call, outcome) => outcomes.push(outcome);
      call.onEnd(onEnd);
      const answer = service(call);
      const caller: Caller = { call, answer, outcomes, reply: null, error: undefined, reading: null };
      answer.then(
        (reply) => {
          caller.reply = reply;
          if (reads) caller.reading = startReading(reply);
        },
        (error: unknown) => {
          caller.error = error;
        },
      );
      return caller;
    },
  };
}

/** Bodies of those that have read to the end. */
export function texts(...callers: Caller[]): (string | undefined)[] {
  return callers.map(({ reading }) => (reading?.ended === true ? reading.text : undefined));
}

/** The next attempt, with its head sent. */
export async function sendHead(one: CoalesceRig, status = 200, headers = {}): Promise<[Seen, FakeReply]> {
  const seen = await one.server.next();
  const reply = seen.reply(status, headers);
  await settle();
  return [seen, reply];
}
