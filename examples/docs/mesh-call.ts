// What a function given to mesh.call is handed, and what becomes of its errors.
import { setTimeout } from 'node:timers/promises';
import { createMesh, MeshError } from 'inmesh';

const server = setInterval(() => {}, 1_000); // stands for the rest of your program: a mesh keeps no process alive

const mesh = await createMesh({
  config: { services: { ledger: { endpoints: [], timeout: '1s', retries: { perTryTimeout: '100ms' } } } },
});

// #region context
const rows = await mesh.call(
  'ledger',
  async ({ attempt, signal, remainingMs }) => {
    console.log(`attempt ${attempt}, ${Math.round(remainingMs / 100) * 100} ms left`);
    return attempt === 1 ? await hang(signal) : ['a row'];
  },
  { idempotent: true },
);
// #endregion
console.log(rows);

// #region errors
const mine = new RangeError('no such row');
await mesh.call('ledger', () => Promise.reject(mine)).catch((error) => console.log(error === mine)); // your own error, as it is

await mesh
  .call('ledger', ({ signal }) => hang(signal), { timeout: '50ms' })
  .catch((error) => {
    if (error instanceof MeshError) console.log(error.code); // ours: a refusal, or time
  });
// #endregion

await mesh.close();
clearInterval(server);

/** A driver that takes far too long, and stops when it is told to. */
function hang(signal: AbortSignal): Promise<string[]> {
  return setTimeout(30_000, [], { signal });
}
