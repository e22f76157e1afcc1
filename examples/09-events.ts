// What the mesh does on its own is told as events: an endpoint left out, a circuit opened, a config read or refused.
import { createMesh } from 'inmesh';
import { text, tinyServer } from './tiny-server.ts';

const good = await tinyServer(text('hello'));
let isSick = true;
const weak = await tinyServer((_request, response) => response.writeHead(isSick ? 503 : 200).end());

// #region events
const mesh = await createMesh({
  config: {
    services: {
      greeter: {
        endpoints: [good.address, weak.address],
        loadBalancer: 'roundRobin',
        outlierDetection: { consecutiveErrors: 3, baseEjectionTime: '300ms' },
      },
    },
  },
});

mesh.events.addEventListener('endpointEjected', (event) => {
  const { service, reason, forMs } = event.detail;
  console.log(`${service}: an endpoint is left out for ${Math.round(forMs)} ms (${reason})`);
});
mesh.events.addEventListener('endpointReturned', (event) => console.log(`${event.detail.service}: it is tried again`));
// #endregion
mesh.events.addEventListener('endpointEjected', () => {
  isSick = false; // somebody repaired it
});

for (let i = 0; i < 80; i++) {
  await (await mesh.fetch('http://greeter/')).text();
  await new Promise((resolve) => setTimeout(resolve, 10));
}
console.log('80 calls, all answered');

await mesh.close();
good.close();
weak.close();
