import { describe, expect, it } from 'vitest';
import { rateLimitLayer } from '../../src/route/rate-limit-layer.ts';
import { TokenBucket } from '../../src/route/token-bucket.ts';
import { pair, testCall } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function limited(tokensMax: number, tokensPerFill = 1, fillMs = 1_000) {
  const clock = new VirtualClock();
  const [leaf, server] = pair({ clock });
  const bucket = new TokenBucket({ tokensMax, tokensPerFill, fillMs }, clock.now());
  const service = rateLimitLayer(bucket, { clock, name: 'route reviews/search' })(leaf);
  const call = (startedAtMs = clock.now()) => {
    const one = testCall({ startedAtMs, destination: null });
    const answered = service(one);
    answered.catch(() => {});
    return { call: one, answered };
  };
  return { clock, server, call };
}

describe('rateLimitLayer', () => {
  it('lets through what has a token, and refuses the rest with the time of the next', async () => {
    const { clock, server, call } = limited(2);
    call();
    call();
    clock.advance(250.5);
    const third = call();
    expect(server.seen).toHaveLength(2);
    await expect(third.answered).rejects.toMatchObject({
      code: 'rate_limited',
      family: 'refused',
      sent: 'none',
      retryAfterMs: 749.5,
      where: { route: 'default' },
      message:
        '[rate_limited] route reviews/search lets 1 per 1000 ms through here, 2 at once; the next in 750 ms (route default). ' +
        'Send less, wait as long as retryAfterMs says, or raise rateLimit.',
    });
    expect(third.call.outcome).toMatchObject({ kind: 'ignored', status: 0, endedAtMs: 1_250.5 });
    clock.advance(749.5);
    call();
    expect(server.seen).toHaveLength(3);
  });

  it('passes the answer through untouched', async () => {
    const { server, call } = limited(1);
    const { answered } = call();
    const reply = (await server.next()).reply(200);
    expect(await answered).toBe(reply);
  });

  it('a call that a layer kept waiting is judged by the time of now', () => {
    const { clock, server, call } = limited(1);
    call();
    clock.advance(1_500);
    call(1_400);
    expect(server.seen).toHaveLength(2);
  });
});
