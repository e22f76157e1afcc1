// One of two replicas is slow. Round robin gives it every second call; peak EWMA, the default, finds out.
import { createMesh } from 'inmesh';
import { tinyServer } from '../tiny-server.ts';

const quick = await tinyServer((_request, response) => response.end('quick'));
const slow = await tinyServer((_request, response) => void setTimeout(() => response.end('slow'), 20));

// #region kinds
for (const loadBalancer of ['roundRobin', 'peakEwma'] as const) {
  const mesh = await createMesh({ config: { services: { greeter: { endpoints: [quick.address, slow.address], loadBalancer } } } });
  let count = 0;
  for (let i = 0; i < 40; i++) if ((await (await mesh.fetch('http://greeter/')).text()) === 'slow') count++;
  console.log(`${loadBalancer}: ${count} of 40 calls went to the slow one`);
  await mesh.close();
}
// #endregion

quick.close();
slow.close();
