// Not HTTP? The same retries, timeout and circuit breaker around any promise; and any cockatiel policy on top.
import { bulkhead } from 'cockatiel';
import { createMesh } from 'inmesh';

// #region call
const mesh = await createMesh({ config: { services: { database: { endpoints: [], timeout: '1s', retries: { attempts: 2 } } } } });

const rows = await mesh.call('database', ({ attempt, signal }) => query('select 1', attempt, signal), { idempotent: true });
// #endregion
console.log(`answered: ${rows}`);

// #region policy
const two = bulkhead(2); // at most two at once, none waits
const results = await Promise.allSettled([1, 2, 3].map(() => mesh.call('database', () => query('select 2', 2), { policy: two })));
// #endregion
console.log(`bulkhead of two: ${results.map((result) => result.status).join(', ')}`);

await mesh.close();

/** A database that fails at first. */
async function query(sql: string, attempt: number, signal?: AbortSignal): Promise<string> {
  signal?.throwIfAborted();
  if (attempt === 1) throw Object.assign(new Error('connection reset'), { code: 'ECONNRESET' });
  return `the rows of "${sql}", at attempt ${attempt}`;
}
