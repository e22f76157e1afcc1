import { describe, expect, it } from 'vitest';
import { seededRandom } from '../support/seeded-random.ts';
import { type Play, play, Recorder } from './fake-wire.ts';

const KB = 'x'.repeat(1_024);

describe('a reply that nobody wants', () => {
  async function answered(headers: Record<string, string> = {}, deadlineMs = 10_000): Promise<Play> {
    const played = play({ deadlineMs });
    played.wire.start().head(503, headers);
    await played.reply;
    return played;
  }

  it.each(['discard', 'hold'] as const)('%s drains a small body and keeps the socket', async (way) => {
    const { wire, exchange, outcomes, clock } = await answered();
    wire.data('small');
    exchange[way]();
    wire.data(' body').end();
    expect([wire.controller.log, outcomes, clock.armed]).toEqual([[], ['failure 503'], 0]);
  });

  it.each(['discard', 'hold'] as const)('%s resumes a paused one', async (way) => {
    const { wire, exchange } = await answered();
    exchange.pause();
    exchange[way]();
    expect(wire.controller.log).toEqual(['pause', 'resume']);
  });

  it.each(['discard', 'hold'] as const)('%s aborts a long one at once when its length is known', async (way) => {
    const { wire, exchange, outcomes } = await answered({ 'content-length': '65537' });
    exchange[way]();
    expect([wire.controller.log, outcomes, exchange.intact]).toEqual([['abort'], ['failure 503'], false]);
  });

  it.each(['discard', 'hold'] as const)('%s aborts after 64 KiB', async (way) => {
    const { wire, exchange, outcomes } = await answered();
    exchange[way]();
    for (let i = 0; i < 64; i++) wire.data(KB);
    expect(wire.controller.aborted).toBe(false);
    wire.data('x');
    expect([wire.controller.log, outcomes, exchange.intact]).toEqual([['abort'], ['failure 503'], false]);
  });

  it.each(['discard', 'hold'] as const)('%s aborts after a second', async (way) => {
    const { wire, exchange, outcomes, clock } = await answered();
    exchange[way]();
    clock.advance(999);
    expect(wire.controller.aborted).toBe(false);
    clock.advance(1);
    expect([wire.controller.log, outcomes, exchange.intact]).toEqual([['abort'], ['failure 503'], false]);
  });

  it('no longer than the deadline', async () => {
    const { wire, exchange, clock } = await answered({}, 300);
    exchange.discard();
    clock.advance(300);
    expect(wire.controller.aborted).toBe(true);
  });

  it('held and attached later: all of it', async () => {
    const { wire, exchange, outcomes, clock } = await answered();
    wire.data('a');
    exchange.hold();
    wire.data('b');
    const sink = new Recorder();
    exchange.attach(sink);
    wire.data('c');
    clock.advance(5_000);
    wire.end();
    expect([sink.text, sink.log.at(-1), outcomes, clock.armed]).toEqual(['abc', 'end', ['failure 503'], 0]);
  });

  it('held, ended, and attached later: all of it', async () => {
    const { wire, exchange } = await answered();
    exchange.hold();
    wire.data('all').end();
    const sink = new Recorder();
    exchange.attach(sink);
    expect([exchange.intact, sink.text, sink.log.at(-1)]).toEqual([true, 'all', 'end']);
  });

  it('held and then discarded', async () => {
    const { wire, exchange, outcomes } = await answered();
    exchange.hold();
    exchange.discard();
    wire.data('x').end();
    expect([outcomes, exchange.intact]).toEqual([['failure 503'], true]);
  });
});

/** One random play: what the wire, time and the consumer do, in any order, until everything is over. */
function randomPlay(seed: number): void {
  const random = seededRandom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const played = play({
    ...(random() < 0.5 ? { deadlineMs: 1 + below(3_000) } : {}),
    ...(random() < 0.5 ? { attemptMs: 1 + below(500) } : {}),
  });
  const { wire, exchange, call, clock, outcomes } = played;
  played.reply.catch(() => {});
  const sink = new Recorder();
  const state = { started: false, headed: false, attached: false, given: false, sent: '', ended: false };
  sink.onChunk = () => {
    sink.wants = random() < 0.7;
    if (random() < 0.02) call.cancel('in the middle');
  };
  const acts: (() => void)[] = [
    () => {
      if (!state.started) wire.start();
      state.started = true;
    },
    () => {
      if (state.started && !state.headed && !wire.isOver)
        wire.head(random() < 0.5 ? 200 : 503, random() < 0.2 ? { 'content-length': '70000' } : {});
      state.headed ||= state.started;
    },
    () => {
      if (!state.headed || wire.isOver) return;
      const chunk = String(below(10)).repeat(1 + below(random() < 0.1 ? 40_000 : 50));
      state.sent += chunk;
      wire.data(chunk);
    },
    () => {
      if (state.headed && !wire.isOver && random() < 0.3) {
        state.ended = true;
        wire.end();
      }
    },
    () => void (random() < 0.1 && state.started && wire.error(new Error('broke'))),
    () => clock.advance(below(400)),
    () => void (random() < 0.1 && call.cancel('gone')),
    () => {
      if (exchange.status === 0 || state.attached) return;
      if (!state.given && random() < 0.4) {
        state.given = true;
        exchange.hold();
      } else if (!state.given || exchange.intact) {
        state.attached = true;
        exchange.attach(sink);
      }
    },
    () => void (state.attached && random() < 0.3 && exchange.pause()),
    () => void (state.attached && exchange.resume()),
  ];
  for (let step = 0; step < 60; step++) acts[below(acts.length)]?.();
  // Everything comes to an end: the consumer reads on, the wire ends, and time passes.
  sink.onChunk = () => {
    sink.wants = true;
  };
  if (state.attached) exchange.resume();
  if (state.headed && !wire.isOver) {
    state.ended = true;
    wire.end();
  } else if (!state.headed) call.cancel('at last');
  if (state.attached) exchange.resume();

  expect(outcomes, `seed ${seed}`).toHaveLength(1);
  expect(clock.armed, `seed ${seed}`).toBe(0);
  expect(played.host.started, `seed ${seed}`).toBe(1);
  if (!state.attached) return;
  expect(sink.endings, `seed ${seed}`).toBe(1);
  expect(state.sent.startsWith(sink.text), `seed ${seed}`).toBe(true);
  if (sink.log.at(-1) === 'end') expect([sink.text.length, state.ended], `seed ${seed}`).toEqual([state.sent.length, true]);
}

describe('whatever happens in whatever order', () => {
  it('the attempt ends once, the consumer is told once, no timer is left', () => {
    for (let seed = 1; seed <= 3_000; seed++) randomPlay(seed);
  });
});

describe('a body that nobody reads is told of after 30 s', () => {
  async function begun(deadlineMs = 100_000, attemptMs?: number): Promise<Play> {
    const played = play({ deadlineMs, ...(attemptMs === undefined ? {} : { attemptMs }) });
    played.wire.start().head(200, {});
    await played.reply;
    return played;
  }

  const WAYS: readonly (readonly [how: string, attemptMs: number | undefined, leave: (played: Play) => void])[] = [
    ['left, and more comes than may wait', undefined, ({ wire }: Play) => void Array.from({ length: 65 }, () => wire.data(KB))],
    ['left, after a timeout of the attempt', 10_000, ({ wire }: Play) => void wire.data(KB)],
    ['paused', undefined, ({ exchange }: Play) => exchange.pause()],
    [
      'attached, and paused by its consumer',
      undefined,
      ({ wire, exchange }: Play) => {
        const sink = new Recorder();
        sink.wants = false;
        exchange.attach(sink);
        wire.data(KB);
      },
    ],
    [
      'paused while what waited is delivered',
      undefined,
      ({ wire, exchange }: Play) => {
        wire.data(KB);
        const sink = new Recorder();
        sink.wants = false;
        exchange.attach(sink);
      },
    ],
  ];

  it.each(WAYS)('%s: once, and the deadline still ends it', async (_how, attemptMs, leave) => {
    const played = await begun(100_000, attemptMs);
    const { clock, host, outcomes } = played;
    leave(played);
    clock.advance(29_999);
    expect(host.unread).toEqual([]);
    clock.advance(1);
    expect([host.unread, outcomes]).toEqual([[30_000], []]);
    clock.advance(69_999);
    expect([host.unread, outcomes]).toEqual([[30_000], []]);
    clock.advance(1);
    expect([host.unread, outcomes, clock.armed]).toEqual([[30_000], ['failure 200 deadline_exceeded'], 0]);
  });

  it('not when it goes on in time, however often it stops; then from the last stop', async () => {
    const { clock, host, exchange, wire } = await begun(1_000_000);
    exchange.attach(new Recorder());
    for (let i = 0; i < 10; i++) {
      exchange.pause();
      clock.advance(20_000);
      exchange.resume();
      wire.data(KB);
    }
    expect(host.unread).toEqual([]);
    exchange.pause();
    clock.advance(29_999);
    expect(host.unread).toEqual([]);
    clock.advance(1);
    expect(host.unread).toEqual([30_000]);
  });

  it('not when it is whole, drained, or merely slow to come', async () => {
    const [whole, drained, slow] = [await begun(), await begun(), await begun()];
    whole.wire.data(KB).end();
    drained.exchange.pause();
    drained.exchange.discard();
    drained.wire.end();
    slow.exchange.attach(new Recorder());
    for (const { clock, host } of [whole, drained, slow]) {
      clock.advance(60_000);
      expect(host.unread).toEqual([]);
    }
  });

  it('without a deadline, too', async () => {
    const played = play();
    played.wire.start().head(200, {});
    await played.reply;
    played.exchange.pause();
    played.clock.advance(30_000);
    expect([played.host.unread, played.clock.armed]).toEqual([[30_000], 0]);
  });
});
