// A configuration file: read, watched, and refused when it is broken. What runs goes on running.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConfigIssue, createMesh, MeshError } from 'inmesh';
import { text, tinyServer } from '../tiny-server.ts';

const server = await tinyServer(text('hello'));
process.chdir(mkdtempSync(join(tmpdir(), 'inmesh-docs-')));
writeFileSync('mesh.yaml', `services:\n  greeter:\n    endpoints: ['${server.address}']\n    timeout: 2s\n`);

// #region load
const mesh = await createMesh({ config: 'mesh.yaml' });

mesh.events.addEventListener('configLoaded', ({ detail }) => console.log(`in force: ${detail.hash}`));
mesh.events.addEventListener('configRejected', ({ detail }) => console.log(detail.message));
// #endregion
const heard = (type: 'configLoaded' | 'configRejected'): Promise<unknown> =>
  new Promise((resolve) => mesh.events.addEventListener(type, resolve, { once: true }));

const loaded = heard('configLoaded');
writeFileSync('mesh.yaml', readFileSync('mesh.yaml', 'utf8').replace('2s', '3s'));
await loaded;
const rejected = heard('configRejected');
writeFileSync('mesh.yaml', readFileSync('mesh.yaml', 'utf8').replace('timeout', 'timeuot'));
await rejected;
console.log(`after a broken file: ${(await mesh.fetch('http://greeter/')).status}`);

// #region issues
try {
  await mesh.reload('mesh.yaml');
} catch (error) {
  if (!(error instanceof MeshError) || error.code !== 'config_invalid') throw error;
  const { issues } = error as MeshError & { readonly issues: readonly ConfigIssue[] };
  for (const { position, message, suggestion } of issues) console.log(position?.line, message, suggestion);
}
// #endregion

// #region object
const inCode = await createMesh({
  config: {
    defaults: { timeout: '5s' },
    services: { greeter: { endpoints: [server.address], retries: { perTryTimeout: 500 } } }, // a number is milliseconds
  },
});
// #endregion
console.log(`from an object: ${(await inCode.fetch('http://greeter/')).status}`);

await inCode.close();
await mesh.close();
server.close();
rmSync(process.cwd(), { recursive: true });
