// A client of one service, without a file. The policies say what is wanted; in which order they act is not your worry.
import { canary, circuitBreaker, createClient, retry, timeout } from 'inmesh';
import { text, tinyServer } from './tiny-server.ts';

const one = await tinyServer(text('v1'));
const two = await tinyServer(text('v2'));

// #region client
const reviews = createClient('http://reviews.internal', {
  endpoints: { v1: [one.address], v2: [two.address] },
  policies: [timeout('2s'), retry({ attempts: 2, perTryTimeout: '500ms' }), circuitBreaker(), canary({ v1: 90, v2: 10 })],
});

const response = await reviews.fetch('/api/1');
// #endregion
console.log(`one call: ${response.status} ${await response.text()}`);

const counts: Record<string, number> = { v1: 0, v2: 0 };
for (let i = 0; i < 500; i++) {
  const version = await (await reviews.fetch('/api/1')).text();
  counts[version] = (counts[version] ?? 0) + 1;
}
console.log(`500 calls: v1 ${counts['v1']}, v2 ${counts['v2']} (90 to 10 was asked for)`);

await reviews.close();
one.close();
two.close();
