// Endpoints from a file that something else writes: a deploy script, an agent, a mounted ConfigMap.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMesh } from 'inmesh';
import { text, tinyServer } from '../tiny-server.ts';

const one = await tinyServer(text('one'));
const two = await tinyServer(text('two'));
const folder = mkdtempSync(join(tmpdir(), 'inmesh-docs-'));
const file = join(folder, 'greeter.endpoints.yaml');
writeFileSync(file, `- ${one.address}\n`);

const mesh = await createMesh({ config: { services: { greeter: { endpointsFile: file } } } });
let changes = 0;
const changed = Promise.withResolvers<void>();
const failed = Promise.withResolvers<void>();
mesh.events.addEventListener('endpointsChanged', () => ++changes === 1 && changed.resolve());
mesh.events.addEventListener('discoveryFailed', () => failed.resolve());

// #region events
mesh.events.addEventListener('endpointsChanged', ({ detail }) => {
  console.log(`${detail.service}: ${detail.added.length} came, ${detail.removed.length} left`);
});
mesh.events.addEventListener('discoveryFailed', ({ detail }) => {
  console.log(`${detail.service}: ${detail.message.replace(folder, '…')}`);
});
// #endregion

writeFileSync(file, `- ${two.address}\n`);
await changed.promise;
console.log(await (await mesh.fetch('http://greeter/')).text());

writeFileSync(file, '[]\n'); // half-written: not believed
await failed.promise;
console.log(await (await mesh.fetch('http://greeter/')).text());

await mesh.close();
one.close();
two.close();
rmSync(folder, { recursive: true });
