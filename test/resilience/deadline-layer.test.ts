import { describe, expect, it } from 'vitest';
import { deadlineLayer } from '../../src/resilience/deadline-layer.ts';
import { pair, testCall } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const INFINITE = Number.POSITIVE_INFINITY;

describe('deadlineLayer', () => {
  it.each([
    ['the timeout of the route', 0, 30_000, INFINITE, 31_000],
    ['the timeout of the call', 500, 30_000, INFINITE, 1_500],
    ['a longer timeout of the call', 60_000, 30_000, INFINITE, 61_000],
    ['a nearer inherited deadline', 500, 30_000, 1_200, 1_200],
    ['a farther inherited deadline', 500, 30_000, 9_000, 1_500],
    ['no timeout at all', 0, 0, INFINITE, INFINITE],
    ['only an inherited deadline', 0, 0, 4_000, 4_000],
  ])('%s', async (_name, timeoutMs, routeTimeoutMs, inheritedMs, expected) => {
    const [leaf, server] = pair();
    const call = testCall({ timeoutMs, route: { name: 'r', service: 'reviews', timeoutMs: routeTimeoutMs } });
    void deadlineLayer({ clock: new VirtualClock(), inherited: () => ({ deadlineMs: inheritedMs, criticality: -1 }) })(leaf)(call);
    expect((await server.next()).call.deadlineMs).toBe(expected);
  });

  it.each([
    ['that of the inbound call', -1, 3, 3],
    ['its own, if it has one', 1, 3, 1],
    ['its own, though it is the first in the list', 0, 3, 0],
    ['nobody has said', -1, -1, -1],
  ])('how much a call matters: %s', async (_name, own, inherited, expected) => {
    const [leaf, server] = pair();
    const call = testCall();
    call.criticality = own;
    const inbound = { deadlineMs: INFINITE, criticality: inherited };
    void deadlineLayer({ clock: new VirtualClock(), inherited: () => inbound })(leaf)(call);
    expect((await server.next()).call.criticality).toBe(expected);
  });

  it.each<[string, string[], string | undefined, string[]]>([
    ['that of the inbound call', ['accept', '*/*'], 'abc', ['accept', '*/*', 'x-request-id', 'abc']],
    ['its own, whatever its spelling', ['X-Request-Id', 'mine'], 'abc', ['X-Request-Id', 'mine']],
    ['none, when nobody gave one', ['accept', '*/*'], '', ['accept', '*/*']],
    ['none, when nobody could', ['accept', '*/*'], undefined, ['accept', '*/*']],
  ])('the request id of a call: %s', async (_name, own, requestId, expected) => {
    const [leaf, server] = pair();
    const call = testCall();
    call.headers = own;
    const inbound = { deadlineMs: INFINITE, criticality: -1, ...(requestId === undefined ? {} : { requestId }) };
    void deadlineLayer({ clock: new VirtualClock(), inherited: () => inbound })(leaf)(call);
    expect((await server.next()).call.headers).toEqual(expected);
    // Of the caller: he may use his array again.
    expect(own).not.toContain('abc');
  });

  it('a call that no route has taken has no time but its own', async () => {
    const [leaf, server] = pair();
    void deadlineLayer({ clock: new VirtualClock(), inherited: () => undefined })(leaf)(testCall({ route: null }));
    expect((await server.next()).call.deadlineMs).toBe(INFINITE);
  });

  it('passes the answer through untouched', async () => {
    const [leaf, server] = pair();
    const answer = deadlineLayer({ clock: new VirtualClock(), inherited: () => undefined })(leaf)(testCall());
    const reply = (await server.next()).reply(200);
    expect(await answer).toBe(reply);
  });

  it.each([1_000, 999, -5])('ends a call whose inherited deadline is %i, at time 1000, without an attempt', async (inheritedMs) => {
    const [leaf, server] = pair();
    const call = testCall();
    const answer = deadlineLayer({ clock: new VirtualClock(), inherited: () => ({ deadlineMs: inheritedMs, criticality: -1 }) })(leaf)(
      call,
    );
    await expect(answer).rejects.toMatchObject({
      code: 'deadline_exceeded',
      sent: 'none',
      where: { route: 'default', service: 'reviews' },
    });
    expect(call.outcome).toMatchObject({ kind: 'failure', status: 0, endedAtMs: 1_000 });
    expect(server.seen).toHaveLength(0);
  });
});
