// How most services call each other today: built-in fetch, an address drawn from a list, a timeout of one second.
import { createServer } from 'node:http';
import type { PlainTargets } from './messages.ts';
import type { Answer, Wires } from './wires.ts';

/** What plain code waits for an answer, ms. */
export const PLAIN_TIMEOUT_MS = 1_000;

export function plainLane(targets: () => PlainTargets): Wires {
  return {
    async get(service, path, userAgent): Promise<Answer> {
      const version = service === 'reviews' ? drawVersion(targets(), userAgent) : '';
      const addresses = targets().addresses[version === '' ? service : `${service}-${version}`] ?? [];
      const address = addresses[Math.floor(Math.random() * addresses.length)];
      const response = await fetch(`http://${address}${path}`, {
        headers: { 'user-agent': userAgent },
        signal: AbortSignal.timeout(PLAIN_TIMEOUT_MS),
      });
      return { status: response.status, body: await response.json(), drawn: version, retries: 0 };
    },
    createServer,
  };
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
