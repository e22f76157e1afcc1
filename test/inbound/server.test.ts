// The deadline travels: what is left of the caller's time bounds the calls that its callee makes.
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { DEADLINE_HEADER } from '../../src/core/headers.ts';
import { createServer, deadlineOf } from '../../src/inbound/server.ts';
import { createMesh } from '../../src/mesh/mesh.ts';
import { echoServer } from '../support/echo-server.ts';

describe('deadlineOf', () => {
  const rows: [string | undefined, number][] = [
    ['250', 1_250],
    ['1', 1_001],
    [undefined, Number.POSITIVE_INFINITY],
    ['', Number.POSITIVE_INFINITY],
    ['0', Number.POSITIVE_INFINITY],
    ['-1', Number.POSITIVE_INFINITY],
    ['1.5', Number.POSITIVE_INFINITY],
    ['0x10', Number.POSITIVE_INFINITY],
    ['9999999999', Number.POSITIVE_INFINITY],
    ['10, 20', Number.POSITIVE_INFINITY],
  ];
  it.each(rows)('%s', (value, expected) => {
    expect(deadlineOf({ headers: value === undefined ? {} : { [DEADLINE_HEADER]: value } } as never, 1_000)).toBe(expected);
  });
});

describe('createServer', () => {
  it('lets no call outlive the caller of its handler', async () => {
    const leaf = await echoServer('leaf');
    const mesh = await createMesh({ config: { services: { leaf: { endpoints: [leaf.address] } } } });
    const middle = createServer(mesh, async (_request, response) => {
      const answer = await mesh.fetch('http://leaf/');
      response.end(await answer.text());
    });
    await new Promise<void>((resolve) => middle.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(middle.address() as AddressInfo).port}`;
    const outer = await createMesh({ config: { services: { middle: { endpoints: [address], timeout: '700ms' } } } });
    await (await outer.fetch('http://middle/')).text();
    const remaining = Number(leaf.seen[0]?.headers[DEADLINE_HEADER]);
    expect(remaining).toBeGreaterThan(0);
    expect(remaining).toBeLessThanOrEqual(700);
    await (await fetch(`http://${address}/`)).text();
    expect(Number(leaf.seen[1]?.headers[DEADLINE_HEADER])).toBe(10_000);
    await outer.close();
    await mesh.close();
    middle.closeAllConnections();
    middle.close();
    await leaf.close();
  });
});
