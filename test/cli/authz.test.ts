import { afterAll, describe, expect, it } from 'vitest';
import { cliFolder } from './run-cli.ts';

const folder = cliFolder({
  'mesh.yaml': `
self: { service: reviews, namespace: default }
services: {}
inbound:
  allow:
    - { from: [productpage, other/batch], methods: [GET] }
    - { from: ['spiffe://partner.org/app'], paths: [/partner] }
    - { paths: [/health] }
  deny:
    - { paths: [/admin*] }
`,
});
afterAll(() => folder.remove());

const ask = (...args: string[]): ReturnType<typeof folder.run> => folder.run(['authz', 'explain', ...args]);

describe('inmesh authz explain', () => {
  it.each([
    ['an account of namespace default', ['productpage', 'GET', '/x'], 'let in'],
    ['an account of another namespace', ['other/batch', 'GET', '/x'], 'let in'],
    ['the wrong namespace', ['other/productpage', 'GET', '/x'], '403, what lets callers in does not take it: default/inbound.allow'],
    ['a SPIFFE ID', ['spiffe://partner.org/app', 'POST', '/partner'], 'let in'],
    ['a principal', ['x.org/ns/default/sa/productpage', 'GET', '/x'], 'let in'],
    ['nobody', ['-', 'GET', '/x'], '403, what lets callers in does not take it'],
    ['nobody, where everybody may', ['-', 'GET', '/health'], 'let in'],
    ['another method', ['productpage', 'PUT', '/x'], '403'],
    ['a way around a rule', ['productpage', 'GET', '/x/../admin'], '403, a rule forbids it: default/inbound.deny, rule 1'],
  ])('%s', async (_what, args, text) => {
    const { code, out, err } = await ask(...args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(text);
  });

  it('says it to programs', async () => {
    const { out } = await ask('productpage', 'GET', '/admin', '--json');
    expect(JSON.parse(out)).toMatchObject({
      decision: { allowed: false, status: 403, reason: 'deny', condition: 'paths', by: { name: 'inbound.deny' } },
    });
  });

  it.each([
    ['no caller', ['explain'], 'give a caller, a method and a path'],
    ['no path', ['explain', 'productpage', 'GET'], 'give a caller, a method and a path'],
    ['too much', ['explain', 'productpage', 'GET', '/x', '/y'], 'give a caller, a method and a path'],
    ['a caller that is none', ['explain', 'a/', 'GET', '/x'], '"a/" is no caller'],
    ['nothing', [], 'say explain'],
    ['another word', ['check'], 'there is no authz "check"'],
  ])('%s is wrong use', async (_what, args, message) => {
    const { code, err } = await folder.run(['authz', ...args]);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('has a help', async () => {
    expect((await folder.run(['authz', '--help'])).out).toContain('Usage: inmesh authz explain CALLER METHOD PATH');
  });
});
