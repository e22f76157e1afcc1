// A new version gets 5 % of the calls, then all of them. Testers get it at once, by a header.
import { createMesh, type MeshInput } from 'inmesh';
import { text, tinyServer } from './tiny-server.ts';

const one = await tinyServer(text('v1'));
const two = await tinyServer(text('v2'));

// #region canary
function config(weights: Readonly<Record<string, number>>): MeshInput {
  return {
    services: {
      reviews: {
        endpoints: [
          { address: one.address, labels: { version: 'v1' } },
          { address: two.address, labels: { version: 'v2' } },
        ],
        subsets: { v1: { version: 'v1' }, v2: { version: 'v2' } },
        routes: [{ match: { headers: { 'x-tester': { present: true } } }, to: 'v2' }, { to: weights }],
      },
    },
  };
}

const mesh = await createMesh({ config: config({ v1: 95, v2: 5 }) });
// #endregion
console.log(`at 95/5: ${await share()} % of the calls reach v2`);
const tester = await mesh.fetch('http://reviews/', { headers: { 'x-tester': 'me' } });
console.log(`a tester reaches ${await tester.text()}`);

// #region reload
await mesh.reload(config({ v1: 0, v2: 100 })); // calls under way keep what they were given
// #endregion
console.log(`at 0/100: ${await share()} % of the calls reach v2`);

await mesh.close();
one.close();
two.close();

async function share(): Promise<number> {
  let count = 0;
  for (let i = 0; i < 400; i++) if ((await (await mesh.fetch('http://reviews/')).text()) === 'v2') count++;
  return count / 4;
}
