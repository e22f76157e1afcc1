// Fetches the key set of an issuer. The address comes from a configuration, so it is a way to make this process call what only it
// can reach: https alone, no redirect, nothing of this machine or of its cloud's metadata after the name was resolved, a
// short time and a small answer. Source: GHSA-fgw5-hp8f-xfhc.
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP } from 'node:net';
import { type Clock, runAt } from '../core/clock.ts';

export interface KeyFetchDeps {
  readonly clock: Clock;
  /** Whether an address may be called. @default not this machine, not its link, not the metadata of a cloud */
  readonly isAllowed?: (address: string) => boolean;
  /** PEM, instead of the public roots. */
  readonly ca?: readonly string[];
}

/** The JSON behind a URL. Rejects with an Error for people. */
export type FetchJson = (url: string, timeoutMs: number) => Promise<unknown>;

const BYTES_MAX = 1_048_576;

const FORBIDDEN = new BlockList();
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.192', 32],
  ['100.100.100.200', 32],
  ['224.0.0.0', 3],
] as const) {
  FORBIDDEN.addSubnet(address, bits, 'ipv4');
}
for (const [address, bits] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['fd00:ec2::254', 128],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  FORBIDDEN.addSubnet(address, bits, 'ipv6');
}

/** Addresses of other machines, private ones included: issuers live in clusters. */
export function isFetchable(address: string): boolean {
  const bare = address.replace(/^::ffff:(?=\d+\.)/i, '').split('%')[0] as string;
  const version = isIP(bare);
  return version !== 0 && !FORBIDDEN.check(bare, version === 4 ? 'ipv4' : 'ipv6');
}

export function keyFetcher({ clock, isAllowed = isFetchable, ca }: KeyFetchDeps): FetchJson {
  return (text, timeoutMs) =>
    new Promise((resolve, reject) => {
      const url = URL.canParse(text) ? new URL(text) : null;
      if (url === null || url.protocol !== 'https:' || url.username !== '' || url.password !== '') {
        reject(new Error('a key set is fetched from an https URL without a user'));
        return;
      }
      const host = url.hostname.replaceAll(/[[\]]/g, '');
      if (isIP(host) !== 0 && !isAllowed(host)) {
        reject(new Error(`${host} is no address to fetch a key set from`));
        return;
      }
      // One address at a time, so that the one that was looked at is the one that is called.
      const options = {
        agent: false,
        autoSelectFamily: false,
        headers: { accept: 'application/json' },
        ...(ca === undefined ? {} : { ca: [...ca] }),
      };
      const asked = httpsRequest(url, options, (response) => void read(response).then(resolve, fail));
      const timer = runAt(clock, clock.now() + timeoutMs, () => fail(new Error(`no answer within ${timeoutMs} ms`)));
      const fail = (error: Error): void => {
        asked.destroy();
        reject(error);
      };
      asked.on('socket', (socket) => {
        socket.on('lookup', (_error, address) => {
          if (typeof address === 'string' && !isAllowed(address))
            fail(new Error(`${host} is at ${address}, which is no address to fetch a key set from`));
        });
      });
      asked.on('error', reject);
      asked.on('close', () => clock.disarm(timer));
      asked.end();
    });
}

async function read(response: IncomingMessage): Promise<unknown> {
  if (response.statusCode !== 200) throw new Error(`the answer was ${String(response.statusCode)}`);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX) throw new Error(`the answer has more than ${BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw new Error('the answer is no JSON');
  }
}
