// `grpc-timeout` as an attacker would write it (CVE-2021-28682): a server of ours answers, or refuses, and nothing overflows.
import { connect } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { inherited } from '../../src/core/context.ts';
import { idle, type Served, serving } from './grpc/serving.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const MESSAGE = Buffer.from([0, 0, 0, 0, 1, 0x78]);

async function statusOf({ port }: Served, timeout: string): Promise<string> {
  const session = connect(`http://127.0.0.1:${port}`);
  closers.push(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': '/test.Echo/Unary',
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': timeout,
  });
  const ended = Promise.withResolvers<string>();
  const tell = (headers: Record<string, unknown>): void => {
    if (headers['grpc-status'] !== undefined) ended.resolve(String(headers['grpc-status']));
    else if (headers[':status'] !== 200 && headers[':status'] !== undefined) ended.resolve(`HTTP ${String(headers[':status'])}`);
  };
  stream.on('response', tell);
  stream.on('trailers', tell);
  stream.on('error', () => ended.resolve('reset'));
  stream.on('close', () => ended.resolve('reset'));
  stream.resume();
  stream.end(MESSAGE);
  return ended.promise;
}

describe('grpc-timeout', () => {
  it.each(['99999999H', '-1S', '0x1S', '123456789S', '1e3S', '1', 'S', '1SS', '1 S', '5S, 1n'])(
    '%s is no deadline that hurts',
    async (timeout) => {
      const left: number[] = [];
      const served = await serving();
      closers.push(served.close);
      served.app.handlers.unary = (call, callback) => {
        left.push((inherited()?.deadlineMs ?? 0) - systemClock.now());
        callback(null, call.request);
      };
      // 13: INTERNAL, as gRPC has it for a value that is none; 4: it is over; reset is a refusal, too.
      expect(await statusOf(served, timeout)).toMatch(/^(0|4|13|reset|HTTP 4\d\d)$/);
      for (const ms of left) expect(ms).toBeGreaterThan(0);
      await idle(served);
      expect(await statusOf(served, '5S')).toBe('0');
      expect(left.at(-1)).toBeLessThanOrEqual(5_001);
    },
  );
});
