// At the limit a call is refused at once: no queue, so that a service that hangs cannot fill the memory of its callers.
import { createMesh, MeshError } from 'inmesh';
import { tinyServer } from '../tiny-server.ts';

const slow = await tinyServer((_request, response) => void setTimeout(() => response.end('done'), 100));

// #region limits
const mesh = await createMesh({
  config: { services: { reports: { endpoints: [slow.address], limits: { maxRequests: 2 } } } },
});

const results = await Promise.allSettled([1, 2, 3].map(() => mesh.fetch('http://reports/')));
for (const result of results) {
  if (result.status === 'fulfilled') console.log(result.value.status);
  else if (result.reason instanceof MeshError) console.log(result.reason.message);
}
// #endregion

await mesh.close();
slow.close();
