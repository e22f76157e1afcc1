// Code that already calls undici: hand it the dispatcher of the mesh, change nothing else.
import { createMesh } from 'inmesh';
import { request } from 'undici';
import { status, text, tinyServer } from './tiny-server.ts';

const good = await tinyServer(text('hello from undici'));
const broken = await tinyServer(status(503));
const mesh = await createMesh({ config: { services: { greeter: { endpoints: [good.address, broken.address] } } } });

// #region undici
for (let i = 1; i <= 3; i++) {
  const { statusCode, body } = await request('http://greeter/hello', { dispatcher: mesh.dispatcher });
  console.log(`call ${i}: ${statusCode} ${await body.text()}`);
}
// #endregion

await mesh.close();
good.close();
broken.close();
