// What an answer is, and what an error is. An answer of the service is always the answer, a 500 too. When there is no
// answer, a MeshError says why, whether the far side may have acted, and what to do.
import { createMesh, MeshError } from 'inmesh';
import { status, tinyServer } from './tiny-server.ts';

const failing = await tinyServer(status(500));
const silent = await tinyServer(() => {});
const services = { failing: { endpoints: [failing.address] }, silent: { endpoints: [silent.address], timeout: '200ms' } };

// #region errors
const mesh = await createMesh({ config: { services } });

const answer = await mesh.fetch('http://failing/');
console.log(`the service said ${answer.status}`);

try {
  await mesh.fetch('http://silent/');
} catch (error) {
  if (!(error instanceof MeshError)) throw error;
  console.log(`no answer: ${error.code}, request sent: ${error.sent}`);
  console.log(error.message);
}
// #endregion
await mesh.close();

// #region respond
const sidecar = await createMesh({ config: { failures: 'respond', services } });
const response = await sidecar.fetch('http://silent/');
console.log(`failures: respond gives ${response.status} "${await response.text()}"`);
// #endregion
await sidecar.close();
failing.close();
silent.close();
