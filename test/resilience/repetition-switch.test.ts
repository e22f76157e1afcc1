import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MeshEvent } from '../../src/core/events.ts';
import { RepetitionSwitch } from '../../src/resilience/repetition-switch.ts';
import { testError } from '../support/fake-service.ts';
import { hedgeRig } from './hedge-rig.ts';
import { retryRig } from './retry-rig.ts';

function recorded(): { readonly pulled: RepetitionSwitch; readonly events: string[] } {
  const events: string[] = [];
  const pulled = new RepetitionSwitch((event: MeshEvent) => {
    if (event.type === 'repetitionPaused') events.push(`paused ${event.service || 'all'}: ${event.reason}`);
    if (event.type === 'repetitionResumed') events.push(`resumed ${event.service || 'all'}`);
  });
  return { pulled, events };
}

describe('RepetitionSwitch', () => {
  it('pauses one service, until it is let go', () => {
    const { pulled, events } = recorded();
    const [reviews, ratings] = [pulled.gate('reviews'), pulled.gate('ratings')];
    const resume = pulled.pause('reviews', 'incident 7');
    expect([reviews.isPaused, ratings.isPaused]).toEqual([true, false]);
    resume();
    expect(reviews.isPaused).toBe(false);
    expect(events).toEqual(['paused reviews: incident 7', 'resumed reviews']);
  });

  it('pauses all, those too that are asked for later', () => {
    const { pulled, events } = recorded();
    const known = pulled.gate('reviews');
    const resume = pulled.pause('', 'everything burns');
    expect([known.isPaused, pulled.gate('new').isPaused]).toEqual([true, true]);
    resume();
    expect([known.isPaused, pulled.gate('new').isPaused]).toEqual([false, false]);
    expect(events).toEqual(['paused all: everything burns', 'resumed all']);
  });

  it('letting go twice is once, and the last of several lets go', () => {
    const { pulled, events } = recorded();
    const gate = pulled.gate('reviews');
    const [first, second] = [pulled.pause('reviews', 'a'), pulled.pause('reviews', 'b')];
    first();
    first();
    expect(gate.isPaused).toBe(true);
    second();
    expect(gate.isPaused).toBe(false);
    expect(events).toEqual(['paused reviews: a', 'paused reviews: b', 'resumed reviews']);
  });

  it('the gate of a service is one object', () => {
    const { pulled } = recorded();
    expect(pulled.gate('reviews')).toBe(pulled.gate('reviews'));
  });

  it('a service is paused exactly while somebody holds it, or all', () => {
    const services = ['', 'a', 'b'] as const;
    const command = fc.record({ isPause: fc.boolean(), which: fc.nat(9), service: fc.constantFrom(...services) });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const { pulled } = recorded();
        const held: { service: string; resume: () => void; isHeld: boolean }[] = [];
        for (const { isPause, which, service } of commands) {
          if (isPause) held.push({ service, resume: pulled.pause(service, 'test'), isHeld: true });
          else {
            const one = held[which % Math.max(1, held.length)];
            one?.resume();
            if (one !== undefined) one.isHeld = false;
          }
          for (const name of ['a', 'b']) {
            const expected = held.some((one) => one.isHeld && (one.service === name || one.service === ''));
            expect(pulled.gate(name).isPaused).toBe(expected);
          }
        }
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});

describe('while it is pulled', () => {
  it('no retry is made, a free one neither; the failure says why; afterwards retries go on', async () => {
    const { pulled } = recorded();
    const one = retryRig({}, { gate: pulled.gate('reviews') });
    const resume = pulled.pause('reviews', 'test');
    const refused = one.send();
    (await one.server.next()).fail(testError('connect_failed'));
    await expect(refused.answer).rejects.toMatchObject({ code: 'connect_failed' });
    expect(refused.call.retryDenied).toBe('paused');
    resume();
    const healed = one.send();
    (await one.server.next()).fail(testError('connect_failed'));
    (await one.server.next()).reply(200);
    expect((await healed.answer).status).toBe(200);
    expect(one.log).toEqual(['denied paused', 'retry connect-failure']);
  });

  it('no hedge is sent', async () => {
    const { pulled } = recorded();
    const one = hedgeRig({ deps: { gate: pulled.gate('reviews') } });
    const resume = pulled.pause('', 'test');
    one.send();
    await one.clock.run(1_000);
    resume();
    one.send();
    await one.clock.run(1_000);
    expect([one.server.seen.length, one.log]).toEqual([3, ['hedge.denied', 'hedge.sent']]);
  });
});
