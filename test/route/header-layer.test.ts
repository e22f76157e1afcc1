import { describe, expect, it } from 'vitest';
import type { ReplyHeaders } from '../../src/core/call.ts';
import type { Service } from '../../src/core/service.ts';
import type { HeaderOperations } from '../../src/model/route.ts';
import { headerLayer } from '../../src/route/header-layer.ts';
import { fakeReply, testCall, testError } from '../support/fake-service.ts';

const operations = (part: Partial<HeaderOperations>): HeaderOperations => ({ set: {}, add: {}, remove: [], ...part });

describe('headerLayer: request', () => {
  it.each<[string, Partial<HeaderOperations>, string[], string[]]>([
    ['removes every value, in any case', { remove: ['x-a'] }, ['X-A', '1', 'x-b', '2', 'x-a', '3'], ['x-b', '2']],
    ['removes what is not there', { remove: ['x-a'] }, ['x-b', '2'], ['x-b', '2']],
    ['sets', { set: { 'x-a': '9' } }, ['x-b', '2'], ['x-b', '2', 'x-a', '9']],
    ['sets over every value', { set: { 'x-a': '9' } }, ['X-A', '1', 'x-b', '2', 'x-a', '3'], ['x-b', '2', 'x-a', '9']],
    ['adds beside', { add: { 'x-a': '9' } }, ['x-a', '1'], ['x-a', '1', 'x-a', '9']],
    ['adds to nothing', { add: { 'x-a': '9' } }, [], ['x-a', '9']],
    [
      'removes, then sets, then adds',
      { remove: ['x-a', 'x-b'], set: { 'x-a': 's' }, add: { 'x-a': 'a' } },
      ['x-a', '1', 'x-b', '2', 'x-c', '3'],
      ['x-c', '3', 'x-a', 's', 'x-a', 'a'],
    ],
  ])('%s', async (_title, part, before, after) => {
    const headers = [...before];
    const call = testCall({ headers });
    await headerLayer(operations(part), undefined)(async () => fakeReply(200))(call);
    expect(call.headers).toEqual(after);
    expect(call.headers).not.toBe(headers);
    expect(headers).toEqual(before);
  });
});

describe('headerLayer: response', () => {
  const pairs = (list: string[]): Buffer[] => list.map((text) => Buffer.from(text, 'latin1'));

  it.each<[string, Partial<HeaderOperations>, string[], string[]]>([
    ['removes', { remove: ['server'] }, ['Server', 'x', 'Date', 'y'], ['Date', 'y']],
    ['sets', { set: { server: 'mesh' } }, ['Server', 'x', 'Date', 'y'], ['Date', 'y', 'server', 'mesh']],
    ['adds to nothing', { add: { via: 'mesh' } }, ['Date', 'y'], ['Date', 'y', 'via', 'mesh']],
    ['adds to one', { add: { via: 'mesh' } }, ['Via', 'a'], ['Via', 'a', 'via', 'mesh']],
    ['adds to many', { add: { via: 'mesh' } }, ['Via', 'a', 'Via', 'b'], ['Via', 'a', 'Via', 'b', 'via', 'mesh']],
    ['all three', { remove: ['a'], set: { a: '2' }, add: { a: '3' } }, ['a', '1'], ['a', '2', 'a', '3']],
    ['keeps bytes', { set: { a: 'ü' } }, ['b', '\xfc'], ['b', '\xfc', 'a', 'ü']],
    ['takes names of the server as names', { add: { constructor: '1' } }, ['__proto__', 'x'], ['__proto__', 'x', 'constructor', '1']],
  ])('%s', async (_title, part, before, after) => {
    for (const kind of ['buffers', 'strings', 'none']) {
      const reply = fakeReply(200, parse(before));
      const raw = kind === 'buffers' ? pairs(before) : kind === 'strings' ? [...before] : null;
      reply.rawHeaders = raw;
      const given = await headerLayer(undefined, operations(part))(async () => reply)(testCall());
      expect(given).toBe(reply);
      expect(Object.entries(given.headers).sort()).toEqual(Object.entries(parse(after)).sort());
      expect(given.rawHeaders).toEqual(kind === 'buffers' ? pairs(after) : kind === 'strings' ? after : null);
      if (raw !== null) expect(raw).toHaveLength(before.length);
    }
  });

  /** As undici parses them. */
  function parse(list: readonly string[]): ReplyHeaders {
    const parsed = new Map<string, string | string[]>();
    for (let i = 0; i < list.length; i += 2) {
      const name = (list[i] as string).toLowerCase();
      const value = list[i + 1] as string;
      const old = parsed.get(name);
      parsed.set(name, old === undefined ? value : Array.isArray(old) ? [...old, value] : [old, value]);
    }
    return Object.fromEntries(parsed);
  }

  it('lets a failure through', async () => {
    const error = testError('connect_failed');
    await expect(headerLayer(undefined, operations({ set: { a: '1' } }))(() => Promise.reject(error))(testCall())).rejects.toBe(error);
  });
});

describe('headerLayer: what is not asked costs nothing', () => {
  it('is the next service itself when there is nothing to do', () => {
    const next: Service = async () => fakeReply(200);
    expect(headerLayer(undefined, undefined)(next)).toBe(next);
    expect(headerLayer(operations({}), operations({}))(next)).toBe(next);
  });

  it('hands the promise on when only the request changes', () => {
    const promise = Promise.resolve(fakeReply(200));
    expect(headerLayer(operations({ add: { a: '1' } }), undefined)(() => promise)(testCall())).toBe(promise);
    expect(headerLayer(operations({ set: { a: '1' } }), undefined)(() => promise)(testCall())).toBe(promise);
  });
});
