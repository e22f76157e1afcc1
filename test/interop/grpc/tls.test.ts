// mTLS for gRPC: dialled by address, verified by name; a peer that cannot prove itself is an event, no sickness, and is not
// asked again; a new certificate makes new connections while calls of the old ones finish.
import * as grpc from '@grpc/grpc-js';
import { afterAll, describe, expect, it } from 'vitest';
import { MeshError } from '../../../src/core/errors.ts';
import { grpcClient } from '../../../src/grpc.ts';
import { createMesh } from '../../../src/mesh/create-mesh.ts';
import { authority } from '../../identity/certificates.ts';
import { EchoClientClass, grpcServer, unary } from '../../support/grpc-server.ts';

const root = authority('root');
const stranger = authority('stranger');
const leaf = root.issue({ dns: ['reviews'] });
const [first, second] = ['a', 'b'].map((name) => root.issue({ uris: [`spiffe://cluster.local/ns/default/sa/${name}`], usage: 'client' }));
const pair = { private_key: Buffer.from(leaf.key), cert_chain: Buffer.from(leaf.cert) };
const server = await grpcServer('a', grpc.ServerCredentials.createSsl(Buffer.from(root.cert), [pair], true));
afterAll(() => server.close());

type Tls = {
  readonly mode: 'mutual';
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly subjectAltNames?: string[];
};
const mutual = (shown = first, ca = root.cert): Tls => ({ mode: 'mutual', cert: shown?.cert ?? '', key: shown?.key ?? '', ca });
const config = (tls: Tls): { services: { reviews: { endpoints: string[]; tls: Tls } } } => ({
  services: { reviews: { endpoints: [server.address], tls } },
});

describe('mTLS', () => {
  it('is dialled by address and verified by name', async () => {
    const mesh = await createMesh({ config: config(mutual()), watch: false });
    expect(await unary(grpcClient(mesh, EchoClientClass, 'reviews'), 'x')).toMatchObject({ code: 0, text: 'a:x' });
    await mesh.close();
  });

  it.each<[string, Tls]>([
    ['another root', mutual(first, stranger.cert)],
    ['another name', { ...mutual(), subjectAltNames: ['ratings'] }],
  ])('refuses a peer of %s: an event, no retry, no sickness', async (_name, tls) => {
    const mesh = await createMesh({ config: config(tls), watch: false });
    const events: unknown[] = [];
    mesh.events.addEventListener('peerUntrusted', ({ detail }) => events.push(detail.endpoint));
    const { code, error } = await unary(grpcClient(mesh, EchoClientClass, 'reviews', { idempotent: true }), 'x');
    const { circuit, endpoints } = mesh.snapshot().services['reviews'] ?? {};
    await mesh.close();
    expect([code, ((error as { cause?: unknown } | null)?.cause as MeshError | undefined)?.code]).toEqual([14, 'peer_untrusted']);
    expect([circuit, endpoints?.[0]?.standing]).toEqual(['closed', 'in']);
    expect(events).toContain(server.address);
  });

  it('changes its certificate under calls', async () => {
    const seen: string[] = [];
    server.handlers.unary = (call, callback) => {
      seen.push(String(call.getAuthContext().sslPeerCertificate?.subjectaltname));
      callback(null, call.request);
    };
    const mesh = await createMesh({ config: config(mutual()), watch: false });
    const client = grpcClient(mesh, EchoClientClass, 'reviews');
    const stream = client.bidi();
    const pongs = stream[Symbol.asyncIterator]();
    stream.write(Buffer.from('before'));
    const before = String((await pongs.next()).value);
    const answers = [(await unary(client, 'x')).code];
    await mesh.reload(config(mutual(second)));
    answers.push(...(await Promise.all(Array.from({ length: 20 }, () => unary(client, 'x')))).map(({ code }) => code));
    stream.write(Buffer.from('after'));
    const after = String((await pongs.next()).value);
    stream.end();
    await pongs.next();
    await mesh.close();
    expect(answers).toEqual(Array.from({ length: 21 }, () => 0));
    expect([before, after]).toEqual(['before', 'after']);
    expect([seen[0], seen.at(-1)]).toEqual(['URI:spiffe://cluster.local/ns/default/sa/a', 'URI:spiffe://cluster.local/ns/default/sa/b']);
  });
});
