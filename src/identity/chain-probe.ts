// Whether this Node shows us the intermediates that a peer sends: 24.21.0 and some others do not (nodejs/node#65579). Found by
// one handshake inside the process, once.
import { duplexPair } from 'node:stream';
import { connect, createServer } from 'node:tls';
import { newAuthority } from './dev-authority.ts';
import { chainOf } from './verify-peer.ts';

/** Leaf and intermediate at least. */
const LINKS_MIN = 2;

let answer: Promise<boolean> | null = null;

/** As a server: it is there that some are blind. Whoever cannot find out counts as blind. */
export function seesIntermediates(nowMs: number): Promise<boolean> {
  answer ??= linksSeen(nowMs).then(
    (links) => links >= LINKS_MIN,
    () => false,
  );
  return answer;
}

/** How many certificates a server sees of a chain with one intermediate, its root among them. */
export function linksSeen(nowMs: number): Promise<number> {
  const root = newAuthority({ trustDomain: 'probe.local', nowMs });
  // Of two intermediates: one that Node knows as our own would prove nothing.
  const own = (): { readonly cert: string; readonly key: string; readonly ca: string } => {
    const { chain, key } = root.intermediate({ nowMs }).issue({ spiffeId: 'spiffe://probe.local/x', nowMs });
    return { cert: chain.join(''), key, ca: root.cert };
  };
  const [left, right] = duplexPair();
  const server = createServer({ ...own(), requestCert: true });
  const client = connect({ ...own(), socket: right, rejectUnauthorized: false });
  return new Promise<number>((resolve, reject) => {
    server.on('secureConnection', (socket) => {
      resolve(chainOf(socket.getPeerCertificate(true)).length);
      client.destroy();
      socket.destroy();
    });
    server.on('tlsClientError', reject);
    client.on('error', reject);
    server.emit('connection', left);
  });
}
