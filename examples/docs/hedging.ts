// An answer in twenty is slow, by nobody's fault. The same calls without and with a second attempt when the first is late.
import { createMesh } from 'inmesh';
import { tinyServer } from '../tiny-server.ts';

let requests = 0;
const replicas = await Promise.all(
  [1, 2, 3].map(() => tinyServer((_request, response) => void setTimeout(() => response.end('ok'), ++requests % 20 === 0 ? 400 : 5))),
);
const endpoints = replicas.map(({ address }) => address);

// #region hedge
const mesh = await createMesh({
  config: {
    services: {
      patient: { endpoints },
      // Of these calls one in twenty may be sent twice.
      quotes: { endpoints, routes: [{ idempotent: { extraLoad: 0.05 } }] },
    },
  },
});
// #endregion

/** 600 calls, ten at a time. */
async function measure(service: string): Promise<string> {
  const times: number[] = [];
  const caller = async (): Promise<void> => {
    while (times.length < 600) {
      const startedAt = performance.now();
      await (await mesh.fetch(`http://${service}/`)).text();
      times.push(performance.now() - startedAt);
    }
  };
  const before = requests;
  await Promise.all(Array.from({ length: 10 }, caller));
  const p97 = times.sort((a, b) => a - b)[Math.floor(times.length * 0.97)] as number;
  return `97 % within ${p97.toFixed(0)} ms, ${((requests - before) / times.length).toFixed(2)} attempts a call`;
}

console.log(`without: ${await measure('patient')}`);
console.log(`hedged: ${await measure('quotes')}`);

await mesh.close();
for (const replica of replicas) replica.close();
