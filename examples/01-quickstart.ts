// The smallest mesh: one service, two addresses, one of them broken. Nobody notices.
import { createMesh } from 'inmesh';
import { status, text, tinyServer } from './tiny-server.ts';

const good = await tinyServer(text('hello'));
const broken = await tinyServer(status(503));

// #region quickstart
const mesh = await createMesh({
  config: { services: { greeter: { endpoints: [good.address, broken.address] } } },
});

for (let i = 1; i <= 5; i++) {
  const response = await mesh.fetch('http://greeter/hello');
  console.log(`call ${i}: ${response.status} ${await response.text()}`);
}

await mesh.close();
// #endregion
good.close();
broken.close();
