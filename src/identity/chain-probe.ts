// Whether this Node shows us the intermediates that a peer sends: 24.21.0 and some others do not (nodejs/node#65579). Found by
// one handshake inside the process, once.
import { duplexPair } from 'node:stream';
import { connect, createServer } from 'node:tls';
import { newAuthority } from './dev-authority.ts';
import { chainOf } from './verify-peer.ts';

let answer: Promise<boolean> | null = null;

/** As a server: it is there that some are blind. */
export function seesIntermediates(nowMs: number): Promise<boolean> {
  answer ??= probe(nowMs).catch(() => false);
  return answer;
}

/** Leaf and intermediate at least. */
const LINKS_MIN = 2;

function probe(nowMs: number): Promise<boolean> {
  const root = newAuthority({ trustDomain: 'probe.local', nowMs });
  // Of two intermediates: one that Node knows as our own would prove nothing.
  const own = (): { readonly cert: string; readonly key: string; readonly ca: string } => {
    const { chain, key } = root.intermediate({ nowMs }).issue({ spiffeId: 'spiffe://probe.local/x', nowMs });
    return { cert: chain.join(''), key, ca: root.cert };
  };
  const [left, right] = duplexPair();
  const server = createServer({ ...own(), minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false });
  const client = connect({ ...own(), socket: right, rejectUnauthorized: false });
  return new Promise<boolean>((resolve, reject) => {
    server.on('secureConnection', (socket) => {
      resolve(chainOf(socket.getPeerCertificate(true)).length >= LINKS_MIN);
      client.destroy();
      socket.destroy();
    });
    server.on('tlsClientError', reject);
    client.on('error', reject);
    server.emit('connection', left);
  });
}
