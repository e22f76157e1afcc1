// The default resolver against a real name server on loopback: TTLs, SRV and errors as they come over the wire.
import { createSocket } from 'node:dgram';
import { type AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { systemResolver } from '../../src/discovery/dns-resolver.ts';
import { dnsSource } from '../../src/discovery/dns-source.ts';
import { scriptedRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

interface Question {
  readonly name: string;
  readonly type: string;
}
interface Record_ {
  readonly type: string;
  readonly ttl: number;
  readonly data: unknown;
}
interface Packet {
  decode(bytes: Uint8Array): { id: number; questions: Question[] };
  encode(packet: object): Uint8Array;
}
const packet = createRequire(import.meta.url)('dns-packet') as Packet;

const NXDOMAIN = 3;
let stop: () => void = () => {};
afterEach(() => stop());

async function nameServer(answer: (question: Question) => readonly Record_[] | number): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, peer) => {
    const { id, questions } = packet.decode(bytes);
    const question = questions[0] as Question;
    const answers = answer(question);
    const flags = typeof answers === 'number' ? answers : 0;
    const records = typeof answers === 'number' ? [] : answers.map((record) => ({ name: question.name, class: 'IN', ...record }));
    socket.send(packet.encode({ type: 'response', id, flags, questions, answers: records }), peer.port, peer.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  stop = () => socket.close();
  return `127.0.0.1:${(socket.address() as AddressInfo).port}`;
}

it('reads A, AAAA and SRV with their TTLs, and gives the codes of errors', async () => {
  const server = await nameServer(({ name, type }) => {
    if (type === 'A' && name === 'r1.test') return [{ type, ttl: 17, data: '10.0.0.1' }];
    if (type === 'AAAA' && name === 'r1.test') return [{ type, ttl: 23, data: 'fd00::1' }];
    if (type === 'SRV') return [{ type, ttl: 40, data: { priority: 1, weight: 5, port: 8443, target: 'r1.test' } }];
    return NXDOMAIN;
  });
  const resolver = systemResolver([server]);
  expect(await resolver.resolve4('r1.test')).toEqual([{ address: '10.0.0.1', ttl: 17 }]);
  expect(await resolver.resolve6('r1.test')).toEqual([{ address: 'fd00::1', ttl: 23 }]);
  expect(await resolver.resolveSrv('_http._tcp.test')).toMatchObject([{ name: 'r1.test', port: 8443, priority: 1, weight: 5 }]);
  await expect(resolver.resolve4('gone.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  expect(await resolver.lookup('localhost')).toContainEqual({ address: '127.0.0.1', family: 4 });
});

it('carries a source from a service name to endpoints, and on to new ones', async () => {
  let address = '10.0.0.1';
  const server = await nameServer(({ name, type }) => {
    if (type === 'SRV') return [{ type, ttl: 40, data: { priority: 1, weight: 5, port: 8443, target: 'r1.test' } }];
    if (type === 'A' && name === 'r1.test') return [{ type, ttl: 20, data: address }];
    return [];
  });
  const clock = new VirtualClock();
  const source = dnsSource(
    { host: '_http._tcp.reviews.test', port: 0, record: 'any' },
    { clock, random: scriptedRandom(0.5), resolver: systemResolver([server]) },
  );
  const sets: unknown[] = [];
  let wake: () => void = () => {};
  const next = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  const first = next();
  source.start(
    (set) => {
      sets.push(set);
      wake();
    },
    (message) => expect.fail(message),
  );
  await first;
  expect(sets).toEqual([[{ address: '10.0.0.1:8443', labels: {}, locality: '', weight: 5 }]]);
  expect(clock.nextDueMs - clock.now()).toBe(20_000);
  address = '10.0.0.2';
  const second = next();
  clock.advance(20_000);
  await second;
  expect(sets[1]).toEqual([{ address: '10.0.0.2:8443', labels: {}, locality: '', weight: 5 }]);
  source.close();
});
