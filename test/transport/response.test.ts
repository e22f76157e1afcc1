import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMesh, type Mesh } from '../../src/mesh/mesh.ts';
import { meshResponse } from '../../src/transport/response.ts';
import { testCall } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { type FetchPeer, fetchPeer } from '../contract/fetch-peer.ts';
import { play } from './fake-wire.ts';
import { idle } from './real-wire.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

let peer: FetchPeer;
const meshes: Mesh[] = [];

beforeAll(async () => {
  peer = await fetchPeer();
});

afterEach(async () => {
  for (const mesh of meshes.splice(0)) await mesh.close({ drainMs: 0 });
});

afterAll(() => peer.close());

async function meshOf(clock = new VirtualClock()): Promise<Mesh> {
  const services = { peer: { hosts: ['localhost'], endpoints: [peer.address], retries: false as const, timeout: '3s' } };
  const mesh = await createMesh({ clock, config: { services } });
  meshes.push(mesh);
  return mesh;
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 5_000 && !condition(); turn++) await idle();
  expect(condition()).toBe(true);
}

/** A response over a wire played by hand. */
async function answered(
  headers: Record<string, string> = {},
): Promise<{ response: Response; wire: ReturnType<typeof play>['wire']; call: ReturnType<typeof play>['call'] }> {
  const { wire, reply, call } = play();
  wire.start().head(200, headers);
  return { wire, call, response: meshResponse(await reply, call, 'http://reviews/', false) };
}

describe('an answer that nobody reads', () => {
  it('when small does not hold its socket', async () => {
    const mesh = await meshOf();
    const before = peer.connections();
    for (let i = 0; i < 10; i++) {
      await mesh.fetch(`${peer.url}/bytes?n=1000`);
      await idle();
    }
    expect(peer.connections() - before).toBeLessThanOrEqual(2);
  });

  it('when large is paused, and ends at the deadline', async () => {
    const clock = new VirtualClock();
    const mesh = await meshOf(clock);
    const response = await mesh.fetch(`${peer.url}/bytes?n=5000000`);
    const open = peer.open();
    await idle();
    expect(mesh.snapshot()).toBeDefined();
    clock.advance(3_000);
    await until(() => peer.open() < open);
    await expect(response.text()).rejects.toMatchObject({ code: 'deadline_exceeded' });
  });

  it('when large and forgotten gives its socket back', async () => {
    const mesh = await meshOf();
    const before = peer.open();
    const forget = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) await mesh.fetch(`${peer.url}/bytes?n=5000000`);
    };
    await forget();
    expect(peer.open()).toBeGreaterThanOrEqual(before + 3);
    await until(() => {
      gc();
      return peer.open() <= before;
    });
  });

  it('is not forgotten while its stream is held', async () => {
    const mesh = await meshOf();
    const bodyOf = async (): Promise<ReadableStream<Uint8Array>> =>
      (await mesh.fetch(`${peer.url}/bytes?n=3000000`)).body as ReadableStream<Uint8Array>;
    const body = await bodyOf();
    for (let i = 0; i < 5; i++) {
      gc();
      await idle();
    }
    expect((await new Response(body).arrayBuffer()).byteLength).toBe(3_000_000);
  });
});

describe('an answer that was read', () => {
  it.each(['text', 'body'] as const)('is let go by the first collection: %s', async (how) => {
    const read = async (): Promise<WeakRef<object>> => {
      const { wire, reply, call } = play();
      wire.start().head(200, {});
      const response = meshResponse(await reply, call, 'http://reviews/', false);
      const text = how === 'text' ? response.text() : new Response(response.body).text();
      await idle();
      wire.data(Buffer.from('ok')).end();
      expect(await text).toBe('ok');
      return new WeakRef(call);
    };
    const refs = await Promise.all(Array.from({ length: 20 }, read));
    await idle();
    // Once, and nothing that runs because of it.
    gc();
    expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(3);
  });
});

describe('a body that is read slowly', () => {
  it('pauses the socket, and the reader gets all of it', async () => {
    const { wire, response } = await answered();
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const first = reader.read();
    await idle();
    for (let i = 0; i < 60; i++) wire.data(Buffer.alloc(1_024, i));
    expect(wire.controller.paused).toBe(false);
    for (let i = 0; i < 40; i++) wire.data(Buffer.alloc(1_024, i));
    expect(wire.controller.paused).toBe(true);
    let bytes = (await first).value?.byteLength ?? 0;
    wire.end();
    for (let step = await reader.read(); !step.done; step = await reader.read()) bytes += step.value.byteLength;
    expect(bytes).toBe(102_400);
  });

  it('through a decoder: no more is decoded than somebody wants', async () => {
    const { wire, response } = await answered({ 'content-encoding': 'gzip, br' });
    const packed = brotliCompressSync(gzipSync(Buffer.alloc(50_000_000)));
    gc();
    const before = process.memoryUsage().arrayBuffers;
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const first = reader.read();
    wire.data(packed).end();
    let bytes = (await first).value?.byteLength ?? 0;
    // Time enough to decode all of it.
    for (let turn = 0; turn < 300; turn++) await idle();
    const held = process.memoryUsage().arrayBuffers - before;
    for (let step = await reader.read(); !step.done; step = await reader.read()) bytes += step.value.byteLength;
    expect(bytes).toBe(50_000_000);
    expect(held).toBeLessThan(5_000_000);
  });

  it('through a decoder: the socket is paused and resumed with it', async () => {
    const { wire, response } = await answered({ 'content-encoding': 'gzip' });
    const random = seededRandom(3);
    const plain = Buffer.from(Array.from({ length: 400_000 }, () => Math.floor(random() * 256)));
    const packed = gzipSync(plain);
    const bytes = response.arrayBuffer();
    let pauses = 0;
    for (let at = 0; at < packed.length; at += 16_384) {
      wire.data(packed.subarray(at, at + 16_384));
      if (wire.controller.paused) pauses++;
      await until(() => !wire.controller.paused);
    }
    wire.end();
    expect(Buffer.from(await bytes).equals(plain)).toBe(true);
    expect(pauses).toBeGreaterThan(5);
  });

  it('a coding that is broken ends the call', async () => {
    const { wire, response, call } = await answered({ 'content-encoding': 'gzip' });
    const text = response.text();
    wire.data('this is not gzip');
    await expect(text).rejects.toThrow('terminated');
    expect([call.canceled, wire.controller.aborted]).toEqual([true, true]);
  });

  it('cancelled while a decoder still has something: nothing more is given', async () => {
    const { wire, response, call } = await answered({ 'content-encoding': 'gzip' });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const first = reader.read();
    wire.data(gzipSync(Buffer.alloc(5_000_000)));
    await first;
    await reader.cancel('enough');
    for (let turn = 0; turn < 50; turn++) await idle();
    expect([call.canceled, call.cancelReason, (await reader.read()).done]).toEqual([true, 'enough', true]);
  });

  it('two reads at once are both served', async () => {
    const { wire, response } = await answered();
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const both = [reader.read(), reader.read()];
    await idle();
    wire.data('a');
    expect(wire.controller.paused).toBe(false);
    wire.data('b');
    expect((await Promise.all(both)).map(({ value }) => String.fromCharCode(value?.[0] ?? 0))).toEqual(['a', 'b']);
  });
});

describe('text', () => {
  it('is what TextDecoder makes of any bytes', async () => {
    const random = seededRandom(5);
    const pool = [0x61, 0xc3, 0xbc, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xff, 0xef, 0xbb, 0xbf, 0xed, 0xa0, 0x80, 0xc0];
    for (let round = 0; round < 500; round++) {
      const bytes = Uint8Array.from({ length: 1 + Math.floor(random() * 12) }, () => pool[Math.floor(random() * pool.length)] as number);
      const { wire, response } = await answered();
      wire.data(bytes).end();
      expect(await response.text(), bytes.join()).toBe(new TextDecoder().decode(bytes));
    }
  });
});

describe('a response', () => {
  it('can be looked at', async () => {
    const { wire, response } = await answered({ 'x-a': '1' });
    wire.end();
    expect(inspect(response)).toContain("headers: { 'x-a': '1' }");
    expect(String(response)).toBe('[object Response]');
  });

  it('can be the init of another one', async () => {
    const { wire, response } = await answered({ 'x-a': '1' });
    wire.data('body').end();
    const other = new Response(response.body, response);
    expect([other.status, other.headers.get('x-a'), await other.text()]).toEqual([200, '1', 'body']);
  });

  it('of HEAD has no body whatever the headers say', async () => {
    const { wire, reply } = play();
    wire.start().head(200, { 'content-length': '5000000' }).end();
    const response = meshResponse(await reply, testCall({ method: 'HEAD' }), 'http://reviews/', false);
    expect([response.body, await response.text(), wire.controller.aborted]).toEqual([null, '', false]);
  });
});
