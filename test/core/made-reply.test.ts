import { describe, expect, it } from 'vitest';
import { answer, MadeReply } from '../../src/core/made-reply.ts';
import { testCall } from '../support/fake-service.ts';

/** What a consumer of the body sees. */
function read(reply: MadeReply): string[] {
  const seen: string[] = [];
  reply.attach({
    onData: (chunk) => seen.push(Buffer.from(chunk).toString()) > 0,
    onEnd: (trailers) => void seen.push(`end ${JSON.stringify(trailers)}`),
    onError: () => {},
  });
  return seen;
}

describe('MadeReply', () => {
  it('gives its body in one piece, as many bytes as its head says', () => {
    const reply = new MadeReply({ status: 200, headers: { 'x-a': '1' }, body: 'h\u00e9' });
    expect(reply.headers).toEqual({ 'x-a': '1', 'content-length': '3' });
    expect(read(reply)).toEqual(['h\u00e9', 'end {}']);
    expect(reply.intact).toBe(true);
  });

  it('without a body gives none, and keeps the length that it was told', () => {
    expect(read(new MadeReply({ status: 204, headers: {} }))).toEqual(['end {}']);
    const head = { 'content-length': '12' };
    expect(new MadeReply({ status: 200, headers: head }).headers).toBe(head);
  });

  it('has a raw head as undici gives it: each value by itself, none that is missing', () => {
    const reply = new MadeReply({ status: 200, headers: { a: ['1', '2'], b: undefined, c: '3' } });
    const raw = (reply.rawHeaders as Buffer[]).map(String);
    expect(raw).toEqual(['a', '1', 'a', '2', 'c', '3', 'content-length', '0']);
    expect(reply.rawHeaders).toBe(reply.rawHeaders);
    reply.rawHeaders = null;
    expect((reply.rawHeaders as Buffer[]).length).toBe(8);
  });

  it.each([
    [200, 'success'],
    [404, 'success'],
    [503, 'failure'],
  ] as const)('an answer of %i ends the call as %s, at once', async (status, kind) => {
    const call = testCall();
    const reply = await answer(call, 5, { status, statusText: 'so', headers: {} });
    expect([reply.status, reply.statusText]).toEqual([status, 'so']);
    expect([call.headAtMs, call.outcome]).toEqual([5, { kind, status, error: null, endedAtMs: 5 }]);
  });
});
