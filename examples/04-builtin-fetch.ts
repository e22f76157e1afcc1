// The fetch that is built into Node, through the mesh: for one call, or for all of them.
import { createMesh } from 'inmesh';
import { setGlobalDispatcher } from 'undici';
import { status, text, tinyServer } from './tiny-server.ts';

const good = await tinyServer(text('hello from fetch'));
const broken = await tinyServer(status(503));
const mesh = await createMesh({ config: { services: { greeter: { endpoints: [good.address, broken.address] } } } });

// #region one-call
// `as object`: the types of Node describe an older undici than ours.
const one = await fetch('http://greeter/hello', { dispatcher: mesh.dispatcher } as object);
// #endregion
console.log(`one call: ${one.status} ${await one.text()}`);

// #region all-calls
setGlobalDispatcher(mesh.dispatcher);
const any = await fetch('http://greeter/hello');
// #endregion
console.log(`any call: ${any.status} ${await any.text()}`);

await mesh.close();
good.close();
broken.close();
