// One deadline for a call, retries and body included; and a shorter one for this call.
import { createMesh, MeshError } from 'inmesh';
import { tinyServer } from '../tiny-server.ts';

let remaining = '';
const slow = await tinyServer((request, response) => {
  remaining = String(request.headers['x-envoy-expected-rq-timeout-ms']);
  setTimeout(() => response.end('late'), 400);
});

const mesh = await createMesh({
  config: { services: { reports: { endpoints: [slow.address], timeout: '2s', retries: { perTryTimeout: '1s' } } } },
});

console.log(await (await mesh.fetch('http://reports/')).text());
console.log(`the callee was told: ${remaining} ms`);

// #region one-call
try {
  await mesh.fetch('http://reports/', { mesh: { timeout: '150ms' } });
} catch (error) {
  if (!(error instanceof MeshError)) throw error;
  console.log(error.code, error.sent);
  console.log(error.message);
}
// #endregion

await mesh.close();
slow.close();
