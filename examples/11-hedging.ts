// Now and then an answer is late by bad luck. A second attempt, sent elsewhere when the first is late, cuts these off.
import { type Client, createClient, idempotent, loadBalancer } from 'inmesh';
import { tinyServer } from './tiny-server.ts';

let requests = 0;
const healthy = await tinyServer((_request, response) => {
  requests++;
  response.end('in time');
});
let served = 0;
/** Pauses now and then, as a process does that collects garbage. */
const unlucky = await tinyServer((_request, response) => {
  requests++;
  if (++served % 20 === 0) setTimeout(() => response.end('late'), 250);
  else response.end('in time');
});
const endpoints = [healthy.address, unlucky.address];

// #region hedging
const patient = createClient('http://quotes', { endpoints, policies: [loadBalancer('roundRobin')] });
const hedged = createClient('http://quotes', {
  endpoints,
  policies: [loadBalancer('roundRobin'), idempotent({ extraLoad: 0.1, initialDelay: '30ms' })], // at most one call in ten is sent twice
});
// #endregion

for (const [name, client] of Object.entries({ patient, hedged })) {
  requests = 0;
  const slowest = await slowestOf(client, 200);
  console.log(`${name}: the slowest of 200 calls took ${slowest} ms, for ${requests} requests`);
  await client.close();
}
healthy.close();
unlucky.close();

/** Four at a time. */
async function slowestOf(client: Client, calls: number): Promise<number> {
  let left = calls;
  let slowest = 0;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const started = performance.now();
      await (await client.fetch('/')).text();
      slowest = Math.max(slowest, performance.now() - started);
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return Math.round(slowest);
}
