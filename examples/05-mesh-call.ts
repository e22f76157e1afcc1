// Not HTTP? The same retries, timeout and circuit breaker around any promise; and any cockatiel policy on top.
import { type AddressInfo, connect, createServer } from 'node:net';
import { bulkhead } from 'cockatiel';
import { createMesh } from 'inmesh';

let connections = 0;
const store = createServer((socket) => (++connections === 1 ? socket.resetAndDestroy() : socket.end('42')));
await new Promise<void>((resolve) => store.listen(0, '127.0.0.1', resolve));
const { port } = store.address() as AddressInfo;

/** Asks the store over TCP. */
async function ask(signal: AbortSignal): Promise<string> {
  let answer = '';
  for await (const chunk of connect({ port, host: '127.0.0.1', signal })) answer += chunk;
  return answer;
}

// #region call
const mesh = await createMesh({ config: { services: { store: { endpoints: [], timeout: '1s', retries: { attempts: 2 } } } } });

const answer = await mesh.call(
  'store',
  ({ attempt, signal }) => {
    console.log(`attempt ${attempt}`);
    return ask(signal);
  },
  { idempotent: true }, // it may run again although the store may have acted
);
// #endregion
console.log(`the store says ${answer}`);

// #region policy
const two = bulkhead(2); // at most two at once, and none waits
const results = await Promise.allSettled([1, 2, 3].map(() => mesh.call('store', ({ signal }) => ask(signal), { policy: two })));
// #endregion
console.log(`a bulkhead of two: ${results.map((result) => result.status).join(', ')}`);

await mesh.close();
store.close();
