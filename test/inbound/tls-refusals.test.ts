// Handshakes that must fail, with real certificates: the exact reason here, and an application that has seen nothing.
import { afterEach, describe, expect, it } from 'vitest';
import type { ConnectionOptions } from 'node:tls';
import type { Identity } from '../../src/identity/identity-source.ts';
import { seesIntermediates } from '../../src/identity/chain-probe.ts';
import { authority, type LeafOptions } from '../identity/certificates.ts';
import { identityOf } from '../support/fixed-identity.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import {
  CALLER,
  clientTls,
  overHttp1,
  overHttp2,
  ROOT,
  secure,
  type SecureOptions,
  type SecureServer,
  SERVER,
  tcp,
  tlsSocket,
} from './secure-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let calls = 0;

async function strict(options: SecureOptions = {}): Promise<SecureServer> {
  calls = 0;
  const real = await secure(
    (_request, response) => {
      calls++;
      response.end();
    },
    { ...options, config: { mtls: 'strict', ...options.config } },
  );
  closers.push(real.close);
  return real;
}

const HOUR_MS = 3_600_000;
const STRANGER = authority('another root');
const leaf = (options: LeafOptions): Identity => identityOf(ROOT, 'productpage', options);
/** Shows what it is given, and believes the server. */
const ID = CALLER.spiffeId;

const PEERS: readonly (readonly [what: string, peer: Identity, code: string])[] = [
  ['of an authority that nobody knows', { ...identityOf(STRANGER, 'productpage'), bundles: CALLER.bundles }, 'chain_untrusted'],
  ['that has expired', leaf({ notBeforeMs: Date.now() - 2 * HOUR_MS, notAfterMs: Date.now() - HOUR_MS }), 'certificate_expired'],
  ['that is not valid yet', leaf({ notBeforeMs: Date.now() + HOUR_MS, notAfterMs: Date.now() + 2 * HOUR_MS }), 'certificate_not_yet_valid'],
  ['for servers only', leaf({ usage: 'server' }), 'certificate_unfit'],
  ['of the authority itself', { ...CALLER, chain: [ROOT.cert], key: ROOT.key }, 'spiffe_id_invalid'],
  ['with two URIs', leaf({ uris: [ID, 'spiffe://cluster.local/ns/default/sa/admin'] }), 'spiffe_id_invalid'],
  ['without a URI', leaf({ uris: [] }), 'spiffe_id_invalid'],
  ['with a URI that is no SPIFFE ID', leaf({ uris: ['https://cluster.local/ns/default/sa/productpage'] }), 'spiffe_id_invalid'],
  ['with a domain in capitals', leaf({ uris: ['spiffe://Cluster.Local/ns/default/sa/productpage'] }), 'spiffe_id_invalid'],
  ['without a path', leaf({ uris: ['spiffe://cluster.local'] }), 'spiffe_id_invalid'],
  ['with dots in its path', leaf({ uris: ['spiffe://cluster.local/ns/../sa/admin'] }), 'spiffe_id_invalid'],
  ['with NUL in its URI', leaf({ uris: [`${ID}\0.evil`] }), 'spiffe_id_invalid'],
  ['of a trust domain whose roots are unknown', leaf({ uris: ['spiffe://other.test/ns/default/sa/a'] }), 'trust_domain_unknown'],
  ['whose DNS name says what its URI does not', leaf({ uris: [], dns: [`x, URI:${ID}`] }), 'spiffe_id_invalid'],
];

describe.each([
  ['HTTP/1', overHttp1],
  ['HTTP/2', overHttp2],
] as const)('over %s a certificate', (_, ask) => {
  it.each(PEERS)('%s is refused, the application unasked', async (_what, peer, code) => {
    const { port, refusals, refusal } = await strict();
    const told = refusal();
    await expect(ask({ port, as: peer })).rejects.toThrow();
    await told;
    expect([refusals.map((one) => one.code), calls]).toEqual([[code], 0]);
  });

  it.each([
    ['1.3', { minVersion: 'TLSv1.3' }],
    ['1.2', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }],
  ] as const)('that is absent is refused over TLS %s', async (_version, versions: ConnectionOptions) => {
    const { port, refusals, refusal } = await strict({ config: { minTls: '1.2' } });
    const told = refusal();
    const { cert: __, key: ___, ...nothing } = clientTls(CALLER, versions);
    await expect(
      ask({ port, as: { ...CALLER, chain: [], key: '' }, tls: { ...nothing, cert: undefined, key: undefined } }),
    ).rejects.toThrow();
    await told;
    expect([refusals.map(({ code }) => code), calls]).toEqual([['certificate_missing'], 0]);
  });
});

describe('trust', () => {
  it('of another domain does not make an identity of ours', async () => {
    const bundles = new Map([...SERVER.bundles, ['other.test', [STRANGER.cert]]]);
    const { port, refusal } = await strict({ identity: { ...SERVER, bundles } });
    const forged = { ...identityOf(STRANGER, 'productpage'), bundles };
    const told = refusal();
    await expect(overHttp1({ port, as: forged })).rejects.toThrow();
    expect([(await told).code, calls]).toEqual(['chain_untrusted', 0]);
    const friend = { ...identityOf(STRANGER, 'a', { trustDomain: 'other.test' }), bundles };
    expect((await overHttp1({ port, as: friend })).status).toBe(200);
  });

  // Node 24.21.0 hides the intermediates that a caller sends (nodejs/node#65579).
  it('reaches through intermediates: by the verdict of OpenSSL for one domain, by what Node shows of them for several', async () => {
    const sees = await seesIntermediates(Date.now());
    const upper = ROOT.below('upper');
    const middle = upper.below('middle');
    const far = identityOf(middle, 'productpage');
    const caller = { ...far, chain: [...far.chain, middle.cert, upper.cert], bundles: CALLER.bundles };
    const one = await strict();
    expect((await overHttp1({ port: one.port, as: caller })).text).toBe('');
    const foreign = { ...identityOf(STRANGER.below('own'), 'productpage'), bundles: CALLER.bundles };
    const refused = one.refusal();
    await expect(overHttp1({ port: one.port, as: foreign })).rejects.toThrow();
    expect([(await refused).code, calls]).toEqual(['chain_untrusted', 1]);

    const bundles = new Map([...SERVER.bundles, ['other.test', [STRANGER.cert]]]);
    const two = await strict({ identity: { ...SERVER, bundles } });
    const told = sees ? null : two.refusal();
    const answer = overHttp1({ port: two.port, as: caller });
    if (sees) expect((await answer).status).toBe(200);
    else {
      await expect(answer).rejects.toThrow();
      expect([(await told)?.code, calls]).toEqual(['chain_untrusted', 0]);
    }
    two.source.set({ ...SERVER, version: 2, bundles: new Map([...bundles, ['cluster.local', [ROOT.cert, middle.cert]]]) });
    expect((await overHttp1({ port: two.port, as: caller })).status).toBe(200);
  });

  it('that was taken away is gone with the next connection', async () => {
    const { port, source, refusal } = await strict();
    expect((await overHttp1({ port, as: CALLER })).status).toBe(200);
    const told = refusal();
    const next = identityOf(STRANGER, 'reviews', { version: 2 });
    source.set(next);
    await expect(overHttp1({ port, as: { ...CALLER, bundles: next.bundles } })).rejects.toThrow();
    expect((await told).code).toBe('chain_untrusted');
    expect(calls).toBe(1);
  });
});

describe('a handshake', () => {
  it.each([
    ['of a version that is too old', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, 'ERR_SSL_UNSUPPORTED_PROTOCOL'],
    ['that offers another protocol', { ALPNProtocols: ['h3'] }, 'ERR_SSL_NO_APPLICATION_PROTOCOL'],
  ] as const)('%s fails, the application unasked', async (_, tls, code) => {
    const { port, refusal } = await strict();
    const told = refusal();
    const socket = tlsSocket(port, CALLER, tls as ConnectionOptions);
    socket.on('error', () => {});
    expect([(await told).code, calls]).toEqual([code, 0]);
    socket.destroy();
  });

  it('without a common cipher fails', async () => {
    const { port, refusal } = await strict({ config: { minTls: '1.2' } });
    const told = refusal();
    const versions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' } as const;
    const socket = tlsSocket(port, CALLER, versions);
    socket.on('error', () => {});
    expect((await told).code).toBe('ERR_SSL_NO_SHARED_CIPHER');
    socket.destroy();
  });

  it.each([
    ['garbage', Buffer.from('\x16\x03\x01\x00\x05garbage, and more of it', 'latin1')],
    ['a record that is too long', Buffer.concat([Buffer.from([0x16, 3, 1, 0xff, 0xff]), Buffer.alloc(70_000)])],
  ])('that begins with %s ends the connection', async (_, bytes) => {
    const { port, refusal } = await strict();
    const told = refusal();
    const socket = tcp(port);
    socket.write(bytes);
    expect((await told).code).toMatch(/^ERR_SSL_|^ECONNRESET$/);
    expect(calls).toBe(0);
    socket.destroy();
  });

  it('whose caller goes in the middle leaves nothing behind', async () => {
    const { port, server, refusal } = await strict();
    const told = refusal();
    const socket = tcp(port);
    socket.end(Buffer.from([0x16, 3, 1, 1, 0, 1]));
    await told;
    const count = await new Promise<number>((resolve) => setImmediate(() => server.getConnections((_error, open) => resolve(open))));
    expect([count, calls]).toEqual([0, 0]);
  });

  it('that stands still is ended', async () => {
    const { port, refusal } = await strict({ config: { limits: { handshakeMs: 50 } } });
    const told = refusal();
    const socket = tcp(port);
    socket.write(Buffer.from([0x16, 3, 1, 1, 0, 1]));
    expect((await told).code).toBe('ERR_TLS_HANDSHAKE_TIMEOUT');
    await new Promise((resolve) => socket.on('close', resolve));
  });
});

describe('a caller that says nothing', () => {
  it('is let go when the time for its first byte is over, in permissive mode too', async () => {
    const clock = new VirtualClock(1_000, Date.now());
    const { port, server } = await strict({ clock, config: { mtls: 'permissive' } });
    const accepted = new Promise((resolve) => server.once('connection', resolve));
    const socket = tcp(port);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await accepted;
    clock.advance(999);
    expect(socket.destroyed).toBe(false);
    clock.advance(2);
    socket.resume();
    await closed;
  });
});
