// Key sets over real TLS on loopback, where the guard against loopback is replaced; and the guard itself.
import { createServer, type Server } from 'node:https';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { isFetchable, keyFetcher } from '../../src/access/jwt-fetch.ts';
import { authority } from '../identity/certificates.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

const root = authority();
const { cert, key } = root.issue({ dns: ['localhost'], ips: ['127.0.0.1'] });
const clock = systemClock;

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

async function serve(listener: RequestListener): Promise<string> {
  const own = createServer({ cert, key }, listener);
  server = own;
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
  return `https://127.0.0.1:${(own.address() as AddressInfo).port}/keys`;
}

const anywhere = keyFetcher({ clock, isAllowed: () => true, ca: [root.cert] });

describe('a key set', () => {
  it('is the JSON behind an https URL', async () => {
    const url = await serve((request, response) => void response.end(JSON.stringify({ url: request.url, accept: request.headers.accept })));
    expect(await anywhere(url, 5_000)).toEqual({ url: '/keys', accept: 'application/json' });
  });

  it.each([
    [
      'a redirect',
      (_request, response) => void response.writeHead(302, { location: 'https://169.254.169.254/' }).end(),
      'the answer was 302',
    ],
    ['an error', (_request, response) => void response.writeHead(500).end(), 'the answer was 500'],
    ['what is no JSON', (_request, response) => void response.end('<html>'), 'the answer is no JSON'],
    ['more than 1 MiB', (_request, response) => void response.end(`"${'x'.repeat(1_048_576)}"`), 'more than 1048576 bytes'],
  ] satisfies [string, RequestListener, string][])('is not %s', async (_what, listener, message) => {
    await expect(anywhere(await serve(listener), 5_000)).rejects.toThrow(message);
  });

  it('may have 1 MiB', async () => {
    expect(await anywhere(await serve((_request, response) => void response.end(`"${'x'.repeat(1_048_574)}"`)), 5_000)).toHaveLength(
      1_048_574,
    );
  });

  it('must come in time, else the connection is closed', async () => {
    const url = await serve(() => {});
    const closed = new Promise<void>((resolve) => {
      server?.once('secureConnection', (socket: TLSSocket) => socket.once('close', () => resolve()));
    });
    await expect(anywhere(url, 200)).rejects.toThrow('no answer within 200 ms');
    await closed;
  });

  it.each<[string, RequestListener]>([
    ['good', (_request, response) => void response.end('{}')],
    ['no good', (_request, response) => void response.writeHead(500).end()],
  ])('is waited for no longer once it came, %s as it may be', async (_, listener) => {
    const virtual = new VirtualClock();
    const url = await serve(listener);
    await keyFetcher({ clock: virtual, isAllowed: () => true, ca: [root.cert] })(url, 5_000).catch(() => {});
    for (let turns = 0; virtual.armed > 0 && turns < 1_000; turns++) await settle();
    expect(virtual.armed).toBe(0);
  });

  it('must come from who its certificate says', async () => {
    const url = await serve((_request, response) => void response.end('{}'));
    await expect(keyFetcher({ clock, isAllowed: () => true })(url, 5_000)).rejects.toThrow(/certificate/);
  });

  it('is not fetched from a connection that is refused', async () => {
    await expect(anywhere('https://127.0.0.1:1/', 5_000)).rejects.toThrow('ECONNREFUSED');
  });

  it('is not fetched from a name that nobody knows', async () => {
    const addresses: string[] = [];
    const nowhere = keyFetcher({ clock, isAllowed: (address) => addresses.push(address) === 0 });
    await expect(nowhere('https://nowhere.invalid/', 5_000)).rejects.toThrow(/ nowhere\.invalid|no answer/);
    expect(addresses).toEqual([]);
  });

  it.each(['http://a.test/', 'file:///etc/passwd', 'https://user@a.test/', 'https://:secret@a.test/', 'nothing'])(
    'is not fetched from %s',
    async (url) => {
      await expect(anywhere(url, 5_000)).rejects.toThrow('an https URL without a user');
    },
  );

  it.each([
    'https://169.254.169.254/latest',
    'https://127.0.0.1:1/',
    'https://[::1]/',
    'https://2130706433/',
    'https://[::ffff:127.0.0.1]/',
  ])('2026-003: is not fetched from %s', async (url) => {
    await expect(keyFetcher({ clock })(url, 5_000)).rejects.toThrow('is no address to fetch a key set from');
  });

  it('2026-003: is not fetched from a name of this machine; nobody is called', async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls++;
      response.end('{}');
    });
    const named = url.replace('127.0.0.1', 'localhost');
    await expect(keyFetcher({ clock, ca: [root.cert] })(named, 5_000)).rejects.toThrow(
      /localhost is at (127\.0\.0\.1|::1), which is no address/,
    );
    expect(calls).toBe(0);
  });
});

describe('addresses that may be called', () => {
  it.each(['10.0.0.1', '192.168.1.1', '172.16.0.1', '203.0.113.1', '2001:db8::1', 'fd00::1', '::ffff:10.0.0.1'])('%s', (address) => {
    expect(isFetchable(address)).toBe(true);
  });

  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '169.254.169.254',
    '169.254.0.1',
    '192.0.0.192',
    '100.100.100.200',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    'fd00:ec2::254',
    '64:ff9b::a9fe:a9fe',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    'localhost',
    '',
  ])('not %s', (address) => {
    expect(isFetchable(address)).toBe(false);
  });
});
