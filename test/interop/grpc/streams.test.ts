// Streams through the mesh: order, nothing twice, nothing lost; a slow reader holds back the writer; and what a stream that fails
// comes to. streams.long.test.ts has the long forms.
import * as grpc from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { replayBytes } from '../../../src/transport/body.ts';
import { a, b, client, inOrder, messageOf, streamChecks, write } from './stream-checks.ts';

streamChecks([
  ['1,000 small messages', 1_000, 8],
  ['40 messages of 64 KiB', 40, 65_536],
]);

describe('a reader that waits', () => {
  it('holds back the server', async () => {
    const sent = { count: 0 };
    const stalled = Promise.withResolvers<void>();
    a.handlers.serverStream = b.handlers.serverStream = (call) => {
      const more = (): void => {
        while (sent.count < 500) {
          sent.count++;
          if (call.write(messageOf(sent.count, 65_536))) continue;
          call.once('drain', more);
          if (sent.count > 2) stalled.resolve();
          return;
        }
        call.end();
      };
      more();
    };
    const stream = client.serverStream(Buffer.from('x'));
    const first = await new Promise<Buffer>((resolve) => stream.once('data', (message: Buffer) => (stream.pause(), resolve(message))));
    await stalled.promise;
    // 32 MiB would have gone by if nobody held them back.
    expect(sent.count).toBeLessThan(100);
    expect(first.readUInt32BE(0)).toBe(1);
    let count = 1;
    stream.on('data', () => count++);
    stream.resume();
    await new Promise((resolve) => stream.on('end', resolve));
    expect(count).toBe(500);
  });
});

describe('a stream that fails', () => {
  it('after its first message is passed through, and not sent again', async () => {
    let calls = 0;
    a.handlers.serverStream = b.handlers.serverStream = (call) => {
      calls++;
      call.write(Buffer.from('0'));
      call.write(Buffer.from('1'), () => call.emit('error', { code: 14, details: 'broken' }));
    };
    const got: string[] = [];
    const error = await (async () => {
      try {
        for await (const message of client.serverStream(Buffer.from('x'))) got.push(String(message));
        return null;
      } catch (thrown) {
        return thrown as grpc.ServiceError;
      }
    })();
    expect([got, error?.code, error?.details, calls]).toEqual([['0', '1'], 14, 'broken', 1]);
  });

  it('before its first message is sent again, with every message once', async () => {
    const attempts: number[][] = [];
    a.handlers.bidi = b.handlers.bidi = (call) => {
      const got: number[] = [];
      attempts.push(got);
      call.on('error', () => {});
      call.on('data', (message: Buffer) => {
        got.push(message.readUInt32BE(0));
        if (attempts.length === 1 && got.length === 5) call.emit('error', { code: 14, details: 'not yet' });
        else if (attempts.length > 1) call.write(message);
      });
      call.on('end', () => call.end());
    };
    const stream = client.bidi();
    const answers: number[] = [];
    const writing = write(stream, 50, 8);
    for await (const message of stream) answers.push((message as Buffer).readUInt32BE(0));
    await writing;
    expect(attempts.length).toBe(2);
    expect(attempts[1]).toEqual(inOrder(50));
    expect(answers).toEqual(inOrder(50));
    expect(replayBytes()).toBe(0);
  });

  it('beyond the buffer has one attempt', async () => {
    let calls = 0;
    a.handlers.clientStream = b.handlers.clientStream = (call, callback) => {
      calls++;
      let bytes = 0;
      call.on('error', () => {});
      call.on('data', (message: Buffer) => {
        bytes += message.length;
        if (bytes === 40 * 65_536) callback({ code: 14, details: 'too late' });
      });
    };
    const code = await new Promise((resolve) => {
      const stream = client.clientStream(new grpc.Metadata(), {}, (error) => resolve(error?.code));
      stream.on('error', () => {});
      void write(stream, 40, 65_536);
    });
    expect([code, calls]).toEqual([14, 1]);
    expect(replayBytes()).toBe(0);
  });
});
