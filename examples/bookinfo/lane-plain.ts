// How most services call each other today: built-in fetch or a gRPC client, an address drawn from a list, a timeout of one
// second, no certificates.
import { createServer } from 'node:http';
import { rpcs } from './counter.ts';
import { listen } from './listen.ts';
import type { PlainTargets } from './messages.ts';
import type { RatingsClient } from './ratings-rpc.ts';
import type { Answer, Wires } from './wires.ts';

/** What plain code waits for an answer, ms. */
export const PLAIN_TIMEOUT_MS = 1_000;

export function plainLane(targets: () => PlainTargets): Wires {
  let client: RatingsClient | null = null;
  return {
    async get(service, path, userAgent): Promise<Answer> {
      const version = service === 'reviews' ? drawVersion(targets(), userAgent) : '';
      const address = drawAddress(targets(), version === '' ? service : `${service}-${version}`);
      const response = await fetch(`http://${address}${path}`, {
        headers: { 'user-agent': userAgent },
        signal: AbortSignal.timeout(PLAIN_TIMEOUT_MS),
      });
      return { status: response.status, body: await response.json(), drawn: version, retries: 0 };
    },
    async ratings() {
      const [{ credentials }, { askRatings, Ratings }] = await Promise.all([import('@grpc/grpc-js'), import('./ratings-rpc.ts')]);
      client ??= new Ratings(drawAddress(targets(), 'ratings'), credentials.createInsecure());
      return askRatings(client, PLAIN_TIMEOUT_MS, rpcs.plain);
    },
    openHttp: (listener, port) => listen(createServer(listener), port),
    async openRatings(handlers, port) {
      const [{ ServerCredentials }, { ratingsServer }] = await Promise.all([import('@grpc/grpc-js'), import('./ratings-rpc.ts')]);
      const server = ratingsServer(handlers);
      return new Promise((resolve, reject) => {
        server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
          error === null ? resolve(bound) : reject(error),
        );
      });
    },
  };
}

function drawAddress({ addresses }: PlainTargets, name: string): string {
  const known = addresses[name] ?? [];
  return known[Math.floor(Math.random() * known.length)] ?? '';
}

function drawVersion({ reviewsWeights }: PlainTargets, userAgent: string): string {
  if (userAgent.includes('mobile')) return 'v2';
  let point = Math.random() * Object.values(reviewsWeights).reduce((sum, weight) => sum + weight, 0);
  for (const [version, weight] of Object.entries(reviewsWeights)) {
    point -= weight;
    if (point < 0) return version;
  }
  return 'v1';
}
