import { describe, expect, it } from 'vitest';
import type { ReplyHeaders } from '../../src/core/call.ts';
import type { DirectResponsePolicy } from '../../src/model/traffic.ts';
import { directResponse } from '../../src/route/direct-response.ts';
import { testCall } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const policy = (init: Partial<DirectResponsePolicy>): DirectResponsePolicy => ({ status: 200, headers: {}, body: '', ...init });

async function answered(init: Partial<DirectResponsePolicy>, method = 'GET') {
  const call = testCall({ method });
  const reply = await directResponse(policy(init), { clock: new VirtualClock() })(call);
  let body = '';
  reply.attach({
    onData(chunk) {
      body += Buffer.from(chunk).toString();
      return true;
    },
    onEnd() {
      body += '.';
    },
    onError() {},
  });
  return { call, reply, body };
}

describe('directResponse', () => {
  it.each<[Partial<DirectResponsePolicy>, string, ReplyHeaders]>([
    [{ status: 503, body: 'not now' }, 'not now.', { 'content-type': 'text/plain', 'content-length': '7' }],
    [
      { body: '{"ö":1}', headers: { 'content-type': 'application/json' } },
      '{"ö":1}.',
      { 'content-type': 'application/json', 'content-length': '8' },
    ],
    [{ status: 404, headers: { 'x-a': 'b' } }, '.', { 'x-a': 'b', 'content-length': '0' }],
    [{ body: 'abc', headers: { 'content-length': '99' } }, 'abc.', { 'content-type': 'text/plain', 'content-length': '3' }],
    [{ status: 204, body: 'lost' }, '.', { 'content-length': '0' }],
    [{ status: 304, body: 'lost' }, '.', { 'content-length': '0' }],
  ])('%j answers %j', async (init, expected, headers) => {
    const { reply, body, call } = await answered(init);
    expect([reply.status, body, reply.headers]).toEqual([init.status ?? 200, expected, headers]);
    expect(call.outcome).toMatchObject({ kind: init.status === 503 ? 'failure' : 'success', error: null, endedAtMs: 1_000 });
    expect(call.headAtMs).toBe(1_000);
  });

  it('a HEAD learns the length and gets no body', async () => {
    const { reply, body } = await answered({ body: 'abc' }, 'HEAD');
    expect([body, reply.headers['content-length']]).toEqual(['.', '3']);
  });

  it('who changes the headers of one answer changes those of no other', async () => {
    const service = directResponse(policy({ headers: { 'x-a': 'b' } }), { clock: new VirtualClock() });
    const first = await service(testCall());
    first.headers['x-a'] = 'changed';
    expect((await service(testCall())).headers['x-a']).toBe('b');
  });
});
