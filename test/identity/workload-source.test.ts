import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { newAuthority } from '../../src/identity/dev-authority.ts';
import type { Identity, IdentitySource } from '../../src/identity/identity-source.ts';
import { protobufField, protobufFields } from '../../src/identity/protobuf.ts';
import { workloadSource } from '../../src/identity/workload-source.ts';
import { agentAddress } from '../../src/identity/workload-stream.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { type AgentSvid, type SpiffeAgent, spiffeAgent, svidMessage } from '../support/spiffe-agent.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';
import { StrictClock } from './strict-clock.ts';

const NOW_MS = Date.now();
const a = newAuthority({ trustDomain: 'a.test', nowMs: NOW_MS });
const b = newAuthority({ trustDomain: 'b.test', nowMs: NOW_MS });
const ID = 'spiffe://a.test/ns/x/sa/y';
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

function svid(spiffeId = ID, more: Partial<AgentSvid> = {}): AgentSvid {
  return { spiffeId, ...a.issue({ spiffeId, nowMs: NOW_MS }), bundle: [a.cert], ...more };
}

interface Bench {
  readonly agent: SpiffeAgent;
  readonly source: IdentitySource;
  readonly clock: VirtualClock;
  /** The next identity, or why there was none. */
  next(): Promise<Identity | string>;
}

async function bench(hint?: string, path?: string, prepare: (agent: SpiffeAgent) => void = () => {}): Promise<Bench> {
  const agent = await spiffeAgent(path);
  const clock = new StrictClock(1_000, NOW_MS);
  prepare(agent);
  const source = workloadSource({ address: agent.address, hint }, { clock, random: seededRandom(1), jitterMaxMs: 0 });
  closers.push(() => {
    source.close();
    agent.close();
  });
  const news: (Identity | string)[] = [];
  let tell: () => void = () => {};
  const hear = (one: Identity | string): void => {
    news.push(one);
    tell();
  };
  source.subscribe(hear, ({ message }) => hear(message));
  return {
    agent,
    source,
    clock,
    async next() {
      while (news.length === 0) await new Promise<void>((resolve) => (tell = resolve));
      return news.shift() as Identity | string;
    },
  };
}

describe('an identity from a SPIFFE agent', () => {
  it('comes over a unix socket, with the header that agents ask for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'inmesh-agent-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const crl = a.crl([], { nowMs: NOW_MS });
    const { agent, source, next } = await bench('', join(folder, 'agent.sock'), (one) =>
      one.push({ svids: [svid(), svid('spiffe://a.test/other')], federated: { 'spiffe://b.test': [b.cert] }, crls: [crl] }),
    );
    expect(await next()).toMatchObject({ spiffeId: ID, version: 1, crls: [crl] });
    expect([...(source.current?.bundles ?? [])]).toEqual([
      ['b.test', [b.cert]],
      ['a.test', [a.cert]],
    ]);
    expect(agent.asked[0]).toMatchObject({ ':path': '/SpiffeWorkloadAPI/FetchX509SVID', 'workload.spiffe.io': 'true', te: 'trailers' });
    expect((await source.ready()).version).toBe(1);
  });

  it('a message in pieces', async () => {
    const { agent, next } = await bench();
    const message = svidMessage({ svids: [svid()] });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    await agent.whenAsked(1);
    agent.pushRaw(Buffer.concat([head, message.subarray(0, 100)]));
    agent.pushRaw(message.subarray(100));
    expect(await next()).toMatchObject({ spiffeId: ID });
  });

  it('no agent yet', async () => {
    const clock = new StrictClock(1_000, NOW_MS);
    const source = workloadSource({ address: `unix://${join(tmpdir(), 'inmesh-no-such.sock')}` }, { clock, random: seededRandom(1) });
    const failed = new Promise<string>((resolve) =>
      source.subscribe(
        () => {},
        ({ message }) => resolve(message),
      ),
    );
    expect(await failed).toContain('ENOENT');
    expect(clock.armed).toBe(1);
    source.close();
  });

  it('the hint chooses', async () => {
    const { next } = await bench('internal', undefined, (agent) =>
      agent.push({ svids: [svid(), svid('spiffe://a.test/internal', { hint: 'internal' })] }),
    );
    expect(await next()).toMatchObject({ spiffeId: 'spiffe://a.test/internal' });
  });

  it('each message is the whole state, and rotates', async () => {
    const { agent, source, next } = await bench();
    agent.push({ svids: [svid()], federated: { 'b.test': [b.cert] } });
    expect(await next()).toMatchObject({ version: 1 });
    agent.push({ svids: [svid()] });
    expect(await next()).toMatchObject({ version: 2 });
    expect([...(source.current?.bundles.keys() ?? [])]).toEqual(['a.test']);
  });

  it.each<[string, (agent: SpiffeAgent) => void, string]>([
    [
      'an SVID without any of its parts',
      (agent) => agent.pushBytes(protobufField(1, protobufField(1, ID))),
      'without its certificate, key or bundle',
    ],
    ['no SVID', (agent) => agent.push({ svids: [] }), 'the agent sent no SVID'],
    ['no key', (agent) => agent.push({ svids: [svid(ID, { key: '' })] }), `the agent sent ${ID} without its certificate, key or bundle`],
    ['no chain', (agent) => agent.push({ svids: [svid(ID, { chain: [] })] }), 'without its certificate, key or bundle'],
    ['no bundle', (agent) => agent.push({ svids: [svid(ID, { bundle: [] })] }), 'without its certificate, key or bundle'],
    ['no ID', (agent) => agent.push({ svids: [svid(ID, { spiffeId: '' })] }), 'the agent sent "" as a SPIFFE ID'],
    [
      'the certificate of another',
      (agent) => agent.push({ svids: [svid('spiffe://a.test/z', { spiffeId: ID })] }),
      'with the certificate of somebody else',
    ],
    [
      'a domain that is none',
      (agent) => agent.push({ svids: [svid()], federated: { 'B.test': [b.cert] } }),
      'the agent sent a bundle of "B.test"',
    ],
    ['garbage', (agent) => agent.pushBytes(Buffer.from([0x0b])), 'a field of kind 3'],
    [
      'the key of another',
      (agent) => agent.push({ svids: [svid(ID, { key: svid().key })] }),
      'the private key does not fit the certificate',
    ],
    ['another root', (agent) => agent.push({ svids: [svid(ID, { bundle: [b.cert] })] }), 'the roots of a.test do not vouch'],
  ])('%s: discarded, the last good one stays', async (_, send, message) => {
    const { agent, source, next } = await bench();
    agent.push({ svids: [svid()] });
    const first = await next();
    send(agent);
    expect(await next()).toContain(message);
    expect([source.current, source.lastError?.message]).toEqual([first, expect.stringContaining(message)]);
    agent.push({ svids: [svid()] });
    expect(await next()).toMatchObject({ version: 2 });
    expect(source.lastError).toBeNull();
  });

  it('a hint that nobody has', async () => {
    const { next } = await bench('x', undefined, (agent) => agent.push({ svids: [svid()] }));
    expect(await next()).toBe('the agent sent no SVID with the hint "x"');
  });

  it.each<[string, (agent: SpiffeAgent) => void, string]>([
    ['a cut', (agent) => agent.cut(), 'gRPC status 14'],
    ['UNAVAILABLE', (agent) => agent.refuse(14, 'busy%20now'), 'busy now (gRPC status 14)'],
    ['a message that is no percent text', (agent) => agent.refuse(14, '100%'), '100% (gRPC status 14)'],
    ['another HTTP status', (agent) => agent.refuseHttp(503), 'it answers HTTP 503 (gRPC status 2)'],
    ['a compressed message', (agent) => agent.pushRaw(Buffer.from([1, 0, 0, 0, 0])), 'compressed or too large'],
    ['an endless message', (agent) => agent.pushRaw(Buffer.from([0, 255, 255, 255, 255])), 'compressed or too large'],
  ])('%s: asked again after a while', async (_, trouble, message) => {
    const { agent, source, clock, next } = await bench();
    await agent.whenAsked(1);
    trouble(agent);
    expect(await next()).toContain(message);
    expect([source.current, clock.armed]).toEqual([null, 1]);
    agent.push({ svids: [svid()] });
    clock.advance(1_000);
    expect(await next()).toMatchObject({ version: 1 });
    expect(agent.asked.length).toBe(2);
  });

  it('a stream that ends well is opened again, and nothing is said', async () => {
    const { agent, source, clock, next } = await bench();
    agent.push({ svids: [svid()] });
    await next();
    agent.refuse(0);
    while (clock.armed === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(source.lastError).toBeNull();
    clock.advance(1_000);
    await agent.whenAsked(2);
  });

  it('waits longer each time, up to a minute', async () => {
    const { agent, clock } = await bench('', undefined, (one) => one.refuse(14));
    const waits: number[] = [];
    for (let times = 1; times <= 9; times++) {
      await agent.whenAsked(times);
      while (clock.armed === 0) await new Promise((resolve) => setImmediate(resolve));
      waits.push(clock.nextDueMs - clock.now());
      clock.advance(clock.nextDueMs - clock.now());
    }
    for (const [i, waitMs] of waits.entries()) {
      const fullMs = Math.min(60_000, 1_000 * 2 ** i);
      expect(waitMs).toBeGreaterThanOrEqual(fullMs / 2);
      expect(waitMs).toBeLessThanOrEqual(fullMs);
    }
  });

  it.each([3, 12])('status %i is final', async (status) => {
    const { agent, source, clock, next } = await bench();
    await agent.whenAsked(1);
    agent.refuse(status, 'no');
    expect(await next()).toContain(`no (gRPC status ${status})`);
    await expect(source.ready()).rejects.toThrow('gives no identity');
    expect(clock.armed).toBe(0);
  });

  it('PERMISSION_DENIED before the first is no end; after it the identity is taken back', async () => {
    const { agent, source, clock, next } = await bench('', undefined, (one) => one.refuse(7, 'no identity issued'));
    expect(await next()).toContain('no identity issued (gRPC status 7)');
    agent.push({ svids: [svid()] });
    clock.advance(1_000);
    expect(await next()).toMatchObject({ version: 1 });
    agent.refuse(7);
    expect(await next()).toContain('no reason given (gRPC status 7)');
    expect(source.current).toBeNull();
    agent.push({ svids: [svid()] });
    clock.advance(1_000);
    expect(await next()).toMatchObject({ version: 2 });
  });

  it('closed: nothing is armed, nobody is told', async () => {
    const { agent, source, clock } = await bench('', undefined, (one) => one.refuse(14));
    await agent.whenAsked(1);
    while (clock.armed === 0) await new Promise((resolve) => setImmediate(resolve));
    source.close();
    source.close();
    expect(clock.armed).toBe(0);
    await expect(source.ready()).rejects.toThrow('was closed');
  });

  it('closed while it asks: the connection is closed', async () => {
    const server = createServer();
    const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
    closers.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const clock = new StrictClock(1_000, NOW_MS);
    const address = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const source = workloadSource({ address }, { clock, random: seededRandom(1) });
    const socket = await connected;
    const closed = new Promise<void>((resolve) => socket.on('error', () => {}).once('close', () => resolve()));
    socket.resume();
    source.close();
    await closed;
    expect([clock.armed, source.lastError]).toEqual([0, null]);
  });

  it.each([
    '',
    'agent.sock',
    'see unix:///run/x.sock',
    'see tcp://127.0.0.1:1',
    'unix:///run/x.sock#y',
    'tcp://1.2.3.4:65536',
    'tcp://[1.2.3.4:1',
    'tcp://1.2.3.4:1234567',
    'unix://relative',
    'unix:///x?y',
    'tcp://localhost:1',
    'tcp://1.2.3.4',
    'tcp://1.2.3.4:0',
    'tcp://1.2.3.4:70000',
    'tcp://1.2.3.4:1/x',
    'http://1.2.3.4:1',
  ])('%s is no address', (address) => {
    expect(() => agentAddress(address)).toThrow('is no address of a SPIFFE agent; write unix:///path/to/agent.sock or tcp://IP:port');
  });

  it.each(['unix:///run/x.sock', 'unix:/run/x.sock', 'tcp://127.0.0.1:1', 'tcp://127.0.0.1:65535', 'tcp://[::1]:1'])(
    '%s is one',
    (address) => {
      expect(agentAddress(address)).toBeTypeOf('function');
    },
  );
});

describe('protobuf', () => {
  it('reads what it writes, and skips what it does not know', () => {
    const long = Buffer.alloc(300, 1);
    const message = Buffer.concat([
      Buffer.from([0x08, 0x96, 0x01]),
      protobufField(2, long),
      Buffer.from([0x19, 1, 2, 3, 4, 5, 6, 7, 8]),
      Buffer.from([0x25, 1, 2, 3, 4]),
      protobufField(2, 'b'),
    ]);
    const fields = protobufFields(message);
    expect([...fields.keys()]).toEqual([2]);
    expect(fields.get(2)?.map((value) => Buffer.from(value))).toEqual([long, Buffer.from('b')]);
  });

  it.each([
    [[0x0a], 'a number that does not end'],
    [[0x0a, 5, 1], 'ends within a field'],
    [[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1], 'a number that does not end'],
  ])('%j is no message', (bytes, message) => {
    expect(() => protobufFields(Buffer.from(bytes))).toThrow(message);
  });

  it('an SVID message survives', () => {
    expect(protobufFields(svidMessage({ svids: [svid()] })).get(1)?.length).toBe(1);
  });
});
