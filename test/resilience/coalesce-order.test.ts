import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reply } from '../../src/core/call.ts';
import type { Layer } from '../../src/core/service.ts';
import { COALESCE_DEFAULTS } from '../../src/model/traffic.ts';
import { coalesceLayer } from '../../src/resilience/coalesce-layer.ts';
import { Flights } from '../../src/resilience/flights.ts';
import { type FakeReply, type Seen, pair, testCall, testError } from '../support/fake-service.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';
import { type Caller, coalesceRig } from './coalesce-rig.ts';

describe('coalesceLayer, whatever happens in whatever order', () => {
  it('gives each caller exactly one outcome, its own answer, and never more shared calls than there are kinds of them', async () => {
    const act = fc.record({
      kind: fc.constantFrom('send', 'send', 'send', 'cancel', 'discard', 'head', 'head', 'chunk', 'chunk', 'end', 'fail', 'wait'),
      which: fc.nat(30),
      path: fc.constantFrom('/a', '/b', '/c'),
      tenant: fc.constantFrom('1', '2'),
      headers: fc.constantFrom({}, {}, {}, { 'set-cookie': 'a=b' }, { vary: 'x-tenant' }, { 'content-length': '1000' }),
      deadlineMs: fc.integer({ min: 1, max: 400 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
        const one = coalesceRig({ bodyBytesMax: 5, waitersMax: 3 });
        const callers: Caller[] = [];
        const heads = new Map<Seen, FakeReply>();
        const open = (): Seen[] => one.server.seen.filter(({ call }) => call.outcome === null);
        for (const { kind, which, path, tenant, headers, deadlineMs } of acts) {
          const seen = open()[which % Math.max(1, open().length)];
          const reply = seen === undefined ? undefined : heads.get(seen);
          const caller = callers[which % Math.max(1, callers.length)];
          if (kind === 'send')
            callers.push(one.send({ path, headers: ['x-tenant', tenant], deadlineMs: one.clock.now() + deadlineMs }, which % 4 > 0));
          else if (kind === 'cancel') caller?.call.cancel('gone');
          else if (kind === 'discard' && caller !== undefined && caller.reply !== null && caller.reading === null) {
            caller.reading = { chunks: [], text: '', ended: false, error: 'discarded' };
            caller.reply.discard();
          } else if (kind === 'wait') await one.clock.run(which * 10);
          else if (seen === undefined) continue;
          else if (kind === 'fail') seen.fail(testError('connection_lost'));
          else if (kind === 'head' && reply === undefined) heads.set(seen, seen.reply(200, headers));
          else if (kind === 'chunk') reply?.send(Buffer.from(seen.call.path));
          else if (kind === 'end' && reply !== undefined) seen.end();
          await settle();

          const kinds = new Set(callers.filter(({ call }) => call.outcome === null).map(({ call }) => call.path));
          expect(one.flights.size).toBeLessThanOrEqual(kinds.size);
          for (const { outcomes } of callers) expect(outcomes.length).toBeLessThanOrEqual(1);
        }
        // Everything comes to its end, and nobody is left behind.
        await one.clock.run(1_000);
        for (const seen of open()) seen.fail(testError('connection_lost'));
        await settle();
        for (const { call, outcomes, reply, error, reading } of callers) {
          expect(outcomes).toHaveLength(1);
          expect((reply !== null) !== (error !== undefined)).toBe(true);
          if (error !== undefined) expect(outcomes[0]?.error).toBe(error);
          if (reading?.ended === true) expect(reading.text.replaceAll(call.path, '')).toBe('');
          if (outcomes[0]?.error?.code === 'deadline_exceeded') expect(outcomes[0].endedAtMs).toBeGreaterThanOrEqual(call.deadlineMs);
          expect(outcomes[0]?.endedAtMs).toBeLessThanOrEqual(call.deadlineMs);
        }
        expect([one.flights.size, one.clock.armed]).toEqual([0, 0]);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it('gives whoever is alone just what it would have had without', async () => {
    const act = fc.record({
      kind: fc.constantFrom('head', 'chunk', 'pause', 'resume', 'end', 'fail', 'cancel', 'wait'),
      which: fc.nat(30),
    });
    const headers = fc.constantFrom({}, { 'set-cookie': 'a=b' }, { vary: '*' }, { 'content-length': '3' });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 20 }), headers, async (acts, given) => {
        const play = async (layerOn: (clock: VirtualClock) => Layer): Promise<unknown[]> => {
          const clock = new VirtualClock();
          const [leaf, server] = pair({ clock });
          const call = testCall({ startedAtMs: clock.now(), deadlineMs: clock.now() + 200 });
          const told: unknown[] = [];
          call.onEnd((_call, { kind, status, error, endedAtMs }) => told.push('ended', kind, status, error?.code, endedAtMs));
          let reply: Reply | null = null;
          layerOn(clock)(leaf)(call).then(
            (answered) => {
              reply = answered;
              reply.attach({
                onData: (chunk) => told.push(Buffer.from(chunk).toString()) > 0,
                onEnd: () => told.push('end'),
                onError: (error) => told.push((error as { code?: string }).code ?? error),
              });
            },
            (error: { code?: string }) => told.push('rejected', error.code),
          );
          const seen = await server.next();
          let played: FakeReply | null = null;
          for (const { kind, which } of acts) {
            if (kind === 'wait') await clock.run(which);
            else if (kind === 'cancel') call.cancel('canceled');
            else if (seen.call.outcome !== null) continue;
            else if (kind === 'head') played ??= seen.reply(200, given);
            else if (kind === 'chunk') played?.send(Buffer.from(String(which)));
            else if (kind === 'fail') seen.fail(testError('connection_lost'));
            else if (kind === 'end' && played !== null) seen.end();
            await settle();
          }
          await clock.run(1_000);
          // Which of the two is told first is not promised.
          return told.map(String).sort();
        };
        const shared = (clock: VirtualClock): Layer =>
          coalesceLayer(new Flights({ ...COALESCE_DEFAULTS, bodyBytesMax: 4 }, { clock, onAction: () => {} }));
        expect(await play(shared)).toEqual(await play(() => (next) => next));
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
