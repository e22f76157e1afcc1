import { describe, expect, it } from 'vitest';
import { failingTarget } from '../../src/route/failing-target.ts';
import { testCall } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

describe('failingTarget', () => {
  it.each([
    [503, 'NC'],
    [500, 'none'],
  ])('answers %i by itself, and says why in headers', async (status, flag) => {
    const call = testCall();
    const reply = await failingTarget({ status, flag, reason: 'no such subset' }, new VirtualClock(4_000))(call);
    expect(reply.status).toBe(status);
    expect(reply.headers).toEqual({ server: 'inmesh', 'x-inmesh-error': 'no_endpoint', 'x-inmesh-flag': flag, 'content-length': '0' });
    expect(call.headAtMs).toBe(4_000);
    expect(call.outcome).toEqual({ kind: 'failure', status, error: null, endedAtMs: 4_000 });
  });
});
