// Which service a host means when several names fit: the more exact one.
import { describe, expect, it } from 'vitest';
import { HostTable } from '../../src/mesh/host-table.ts';
import { passLookup } from '../../src/mesh/origins.ts';

const table = new HostTable<string>();
for (const name of ['a.example', 'a.example:8080', '*.example', '*.deep.example', '*.example:9090', 'b']) table.add(name, name);

describe('a host table', () => {
  it.each([
    ['a.example', '80', 'a.example'],
    ['a.example', '8080', 'a.example:8080'],
    ['b', '1', 'b'],
    ['x.example', '80', '*.example'],
    ['x.example', '9090', '*.example:9090'],
    ['x.deep.example', '80', '*.deep.example'],
    ['x.deep.example', '9090', '*.deep.example'],
    ['example', '80', null],
    ['.example', '80', null],
    ['badexample', '80', null],
    ['c', '80', null],
  ])('%s:%s means %s', (host, port, expected) => {
    expect(table.find(host, port)).toBe(expected);
  });

  it('gives a name to the first that claims it', () => {
    const twice = new HostTable<string>();
    twice.add('a', 'first');
    twice.add('a', 'second');
    expect(twice.find('a', '80')).toBe('first');
  });

  it('has a name for every host, if asked', () => {
    const any = new HostTable<string>();
    any.add('*', 'any');
    any.add('a', 'a');
    expect([any.find('a', '80'), any.find('z', '80')]).toEqual(['a', 'any']);
  });
});

describe('hosts that pass although unknown hosts are refused', () => {
  const passes = passLookup(['api.example', '*.cdn.example', 'db.example:8443']);
  it.each([
    ['https://api.example', true],
    ['http://api.example:81', true],
    ['https://x.cdn.example', true],
    ['https://cdn.example', false],
    ['https://db.example:8443', true],
    ['https://db.example', false],
    ['nonsense', false],
  ])('%s: %s', (origin, expected) => {
    expect(passes(origin)).toBe(expected);
  });
});
