// Serves on one port under rotation and calls it in every form, in this very Node; prints what came of it as JSON. The
// identities of both sides change all the time, their authority with every fourth; both authorities are trusted throughout,
// as in the middle step of a change of authority.
import { authority } from '../identity/certificates.ts';
import {
  type Answer,
  clientTls,
  http2To,
  keepAlive,
  onSession,
  overHttp1,
  overHttp2,
  secure,
  type Wanted,
} from '../inbound/secure-server.ts';
import { identityOf } from '../support/fixed-identity.ts';
import { peerOf } from '../../src/inbound/peer-of.ts';

export interface OnePortResult {
  readonly node: string;
  readonly calls: number;
  readonly failed: readonly string[];
  /** HTTP/2 streams that crossed the end of their connection: to be repeated. */
  readonly refused: number;
  readonly rotations: number;
  /** Generations of the server's certificate that callers have seen. */
  readonly seen: number;
  readonly plainWithPeer: number;
}

const forMs = Number(process.argv[2] ?? 1_000);
const everyMs = Number(process.argv[3] ?? 50);

const authorities = [authority('root a'), authority('root b')] as const;
let generation = 0;
const issue = (name: string): ReturnType<typeof identityOf> =>
  identityOf(authorities[Math.floor(generation / 4) % 2] ?? authorities[0], `${name}-${generation}`, {
    roots: authorities,
    version: generation + 1,
  });

let plainWithPeer = 0;
const { port, source, inbound } = await secure(
  async (request, response) => {
    let bytes = 0;
    for await (const chunk of request) bytes += (chunk as Buffer).length;
    const isTls = 'encrypted' in request.socket;
    if (!isTls && peerOf(request) !== null) plainWithPeer++;
    response.end(`${isTls ? (peerOf(request)?.serviceAccount ?? 'nobody') : 'plain'} ${bytes}`);
  },
  { identity: issue('server'), config: { limits: { connectionAgeMs: 200 } } },
);
let caller = issue('caller');
const timer = setInterval(() => {
  generation++;
  source.set(issue('server'));
  caller = issue('caller');
}, everyMs);

const failed: string[] = [];
const seen = new Set<string>();
let calls = 0;
let refused = 0;

async function judge(what: string, bytes: number, isTls: boolean, asked: Promise<Answer>): Promise<void> {
  calls++;
  try {
    const { status, text } = await asked;
    const isRight = status === 200 && text.endsWith(` ${bytes}`) && text.startsWith(isTls ? 'caller-' : 'plain');
    if (!isRight) failed.push(`${what}: ${status} ${text}`);
  } catch (error) {
    // It crossed the GOAWAY: provably not processed, and repeated by every client.
    if (String(error).includes('REFUSED_STREAM')) refused++;
    else failed.push(`${what}: ${String(error)}`);
  }
}

const endMs = performance.now() + forMs;
const untilEnd = async (one: () => Promise<void>): Promise<void> => {
  while (performance.now() < endMs) await one();
};
const check = { checkServerIdentity: (_name: string, cert: { subjectaltname?: string }) => void seen.add(cert.subjectaltname ?? '') };
const form = (more: Partial<Wanted> = {}): Wanted => ({ port, ...more });
const secret = (more: Partial<Wanted> = {}): Wanted => form({ as: caller, tls: clientTls(caller, check), ...more });
const big = { method: 'POST', body: Buffer.alloc(200_000, 'x') };
const lasting = keepAlive(caller);

await Promise.all([
  untilEnd(() => judge('h1 plain', 0, false, overHttp1(form()))),
  untilEnd(() => judge('h2c', 0, false, overHttp2(form()))),
  untilEnd(() => judge('h1 mTLS', 0, true, overHttp1(secret()))),
  untilEnd(() => judge('h2 mTLS', 0, true, overHttp2(secret()))),
  untilEnd(() => judge('h1 mTLS 200 kB', 200_000, true, overHttp1(secret(big)))),
  untilEnd(() => judge('h2 mTLS 200 kB', 200_000, true, overHttp2(secret(big)))),
  untilEnd(() => judge('h1 mTLS keep-alive', 0, true, overHttp1(secret({ agent: lasting })))),
  untilEnd(async () => {
    // One connection, as many calls as it takes; when it says GOAWAY the next is opened.
    const session = http2To(secret());
    let isOver = false;
    session.on('goaway', () => {
      isOver = true;
    });
    session.on('close', () => {
      isOver = true;
    });
    while (!isOver && performance.now() < endMs) await judge('h2 mTLS session', 0, true, onSession(session, {}));
    session.close();
  }),
]);
clearInterval(timer);
lasting.destroy();
await inbound.close(1_000);
const result: OnePortResult = {
  refused,
  node: process.version,
  calls,
  failed: failed.slice(0, 5),
  rotations: generation,
  seen: seen.size,
  plainWithPeer,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
