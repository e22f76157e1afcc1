import { describe, expect, it } from 'vitest';
import type { Line } from '../../../src/transport/grpc/endpoint-line.ts';
import { failureOf } from '../../../src/transport/grpc/grpc-failure.ts';
import type { StatusObject } from '../../../src/transport/grpc/grpc-js.ts';

const line = { untrusted: '' } as Line;

function read(details: string, isMessageReceived = false): string {
  const failure = failureOf({ code: 14, details, metadata: {} } as unknown as StatusObject, line, { isStarted: true, isMessageReceived });
  return failure === null ? 'the server said it' : `${failure.code} ${failure.sent}`;
}

describe('the words of grpc-js', () => {
  it.each([
    ['Stream refused by server', 'not_processed none'],
    // Node 26.
    ['Write error: Stream closed with error code NGHTTP2_REFUSED_STREAM', 'not_processed none'],
    ['Write error: write EPIPE', 'connection_lost head'],
    ['Connection dropped', 'connection_lost head'],
    ['Received RST_STREAM with code 2', 'connection_lost head'],
    ['Stream refused by server: try later', 'the server said it'],
    ['The Write error: is mine', 'the server said it'],
  ])('%s', (details, meaning) => {
    expect(read(details)).toBe(meaning);
  });

  it.each(['Stream refused by server', 'Write error: Stream closed with error code NGHTTP2_REFUSED_STREAM'])(
    'after a message it is never unprocessed: %s',
    (details) => expect(read(details, true)).toBe('connection_lost body'),
  );
});
