// The edges: options for one call on each of them, the global dispatcher, and bodies that nobody reads.
import { createMesh } from 'inmesh';
import { installGlobalDispatcher } from 'inmesh/undici';
import { request } from 'undici';
import { status, text, tinyServer } from '../tiny-server.ts';

const good = await tinyServer(text('hello'));
const broken = await tinyServer(status(503));
const mesh = await createMesh({ config: { services: { greeter: { endpoints: [good.address, broken.address] } } } });

// #region options
const one = await mesh.fetch('http://greeter/', { mesh: { timeout: '500ms', idempotent: true } });

// The same for undici and for built-in fetch.
const dispatcher = mesh.dispatcher.withOptions({ timeout: '500ms', idempotent: true });
const two = await request('http://greeter/', { dispatcher });
const three = await fetch('http://greeter/', { dispatcher } as object); // the types of Node know an older undici
// #endregion
console.log(await one.text(), await two.body.text(), await three.text());

// #region global
const uninstall = installGlobalDispatcher(mesh);
const four = await fetch('http://greeter/'); // and undici.request, undici.fetch, and every library on them
uninstall();
// #endregion
console.log(`through the global dispatcher: ${await four.text()}`);

// #region unread
const response = await mesh.fetch('http://greeter/');
if (response.status === 200) await response.body?.cancel(); // only the status was of interest
// #endregion
console.log(`in flight: ${mesh.snapshot().services.greeter?.inFlight.requests}`);

await mesh.close();
good.close();
broken.close();
