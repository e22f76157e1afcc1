import { describe, expect, it } from 'vitest';
import { hostNameOf } from '../../src/access/host-name.ts';
import { alike, laxOf, readingsOf, READINGS_MAX } from '../../src/access/path-readings.ts';
import { Remembered } from '../../src/access/remembered.ts';

describe('readings of a path', () => {
  it.each([
    ['/admin', ['/admin']],
    ['/.well-known/x', ['/.well-known/x']],
    ['/a/..b/...', ['/a/..b/...']],
    ['*', ['*']],
    ['/admin/', ['/admin/']],
    ['//admin', ['//admin', '/admin', '/']],
    ['/admin//', ['/admin//', '/admin/']],
    ['/%61dmin', ['/%61dmin', '/admin']],
    ['/%2561dmin', ['/%2561dmin', '/%61dmin']],
    ['/./admin', ['/./admin', '/admin']],
    ['/%2E/admin', ['/%2E/admin', '/./admin', '/admin']],
    ['/x/../admin', ['/x/../admin', '/admin']],
    ['/../admin', ['/../admin', '/admin']],
    ['/x/%2e%2e/admin', ['/x/%2e%2e/admin', '/x/../admin', '/admin']],
    ['/x/.%2E/admin', ['/x/.%2E/admin', '/x/../admin', '/admin']],
    ['/%252e%252e/admin', ['/%252e%252e/admin', '/%2e%2e/admin', '/admin']],
    ['/admin/.', ['/admin/.', '/admin/']],
    ['/admin/..', ['/admin/..', '/']],
    ['/a/b/..', ['/a/b/..', '/a/']],
    ['/x\\..\\admin', ['/x\\..\\admin', '/x/../admin', '/admin']],
    ['//evil/admin', ['//evil/admin', '/evil/admin', '/admin']],
    ['///evil', ['///evil', '/evil', '/']],
    ['/\\evil/admin', ['/\\evil/admin', '//evil/admin', '/admin', '/evil/admin']],
    ['http://evil/admin', ['http://evil/admin', '/admin', 'http:/evil/admin']],
    ['http://evil', ['http://evil', '/', 'http:/evil']],
    ['/admin#f', ['/admin#f', '/admin']],
    ['/admin%3Fx', ['/admin%3Fx', '/admin?x', '/admin']],
    ['/admin;a=b', ['/admin;a=b', '/admin']],
    ['/a;b/c;d', ['/a;b/c;d', '/a/c']],
    ['/..;/admin', ['/..;/admin', '/../admin', '/admin']],
    ['/caf%C3%A9', ['/caf%C3%A9', '/caf\u00e9']],
    ['/a%zzb', ['/a%zzb']],
    ['/100%', ['/100%']],
    ['/%ff', ['/%ff', '/\ufffd']],
  ])('%s', (path, expected) => {
    expect(readingsOf(path)?.map(({ text }) => text)).toEqual(expected);
  });

  it.each(['/a\0b', '/a b', '/a\tb', '/a\x7fb', '/a%00b', '/%2500'.replace('25', '')])('%j is no path', (path) => {
    expect(readingsOf(path)).toBeNull();
  });

  it('are at most fifteen: one more step of another kind is one too many', () => {
    const many = readingsOf('/a%2Fb//c;v=1/../x');
    expect(many?.length).toBeLessThanOrEqual(READINGS_MAX);
    expect(many?.length).toBeGreaterThan(8);
    expect(readingsOf('/a%2Fb//c;v=1/../x\\y')).toBeNull();
  });

  it('come with the lower case, and without the slash at the end', () => {
    expect(readingsOf('/Admin/')).toEqual([{ text: '/Admin/', folded: '/admin/', lax: '/admin', steps: 0 }]);
    expect(readingsOf('/')).toEqual([{ text: '/', folded: '/', lax: '/', steps: 0 }]);
    expect(laxOf('/a')).toBe('/a');
  });

  it('say which steps led to them, and a pattern can go the same way', () => {
    const steps = readingsOf('/%61//b')?.find(({ text }) => text === '/a/b')?.steps as number;
    expect(alike('/%61//b', steps)).toBe('/a/b');
    expect(alike('/%61//b', 0)).toBe('/%61//b');
    expect(alike('/a/b', steps)).toBe('/a/b');
    expect(alike('', ~0)).toBe('');
  });
});

describe('a host in normal form', () => {
  it.each([
    ['h', 'h', ''],
    ['H.TEST', 'h.test', ''],
    ['h.test.', 'h.test', ''],
    ['h.test:80', 'h.test', '80'],
    ['h.test.:80', 'h.test', '80'],
    ['a_b.c-d', 'a_b.c-d', ''],
    ['10.0.0.1:65535', '10.0.0.1', '65535'],
    ['[::1]', '[::1]', ''],
    ['[2001:DB8::1]:8080', '[2001:db8::1]', '8080'],
  ])('%s', (authority, name, port) => {
    expect(hostNameOf(authority)).toEqual({ name, port, full: port === '' ? name : `${name}:${port}` });
  });

  it.each([
    '',
    '.',
    'h.test..',
    'h..test',
    'h.test:99999',
    'h.test:65536',
    'h.test:0',
    'h.test:',
    'h.test:8a',
    'u@h.test',
    'h.test/x',
    'a,b',
    'a b',
    '-a',
    'a-',
    '::1',
    '[::1',
    '[::1]x',
    '[10.0.0.1]',
    '[]',
    'caf\u00e9.test',
    'h%00',
    `${'a.'.repeat(127)}ab`,
  ])('%j is none', (authority) => {
    expect(hostNameOf(authority)).toBeNull();
  });

  it('may have 253 characters', () => {
    expect(hostNameOf(`${'a.'.repeat(126)}a`)?.name).toHaveLength(253);
  });
});

describe('what is remembered', () => {
  it('is worked out once while it is used', () => {
    const made: string[] = [];
    const remembered = new Remembered((text) => made.push(text), 2);
    remembered.get('a');
    remembered.get('b');
    remembered.get('a');
    expect(made).toEqual(['a', 'b']);
    remembered.get('c');
    remembered.get('a');
    expect(made).toEqual(['a', 'b', 'c']);
    remembered.get('d');
    remembered.get('b');
    expect(made).toEqual(['a', 'b', 'c', 'd', 'b']);
  });

  it('is no more than two generations, and nothing that is long', () => {
    const remembered = new Remembered((text) => text, 10);
    for (let i = 0; i < 1_000; i++) remembered.get(`/${i}`);
    expect(remembered.size).toBeLessThanOrEqual(20);
    const few = new Remembered((text) => text, 10);
    expect(few.get('x'.repeat(257))).toHaveLength(257);
    expect(few.size).toBe(0);
    few.get('x'.repeat(256));
    expect(few.size).toBe(1);
  });

  it('may be that there is nothing', () => {
    let asked = 0;
    const remembered = new Remembered(() => {
      asked++;
      return null;
    }, 10);
    expect([remembered.get('a'), remembered.get('a'), asked]).toEqual([null, null, 1]);
  });
});
