// Three ways to look into a running mesh: what would happen, what is, what happens.
import { createMesh } from 'inmesh';
import { text, tinyServer } from '../tiny-server.ts';

const one = await tinyServer(text('v1'));
const two = await tinyServer(text('v2'));
const mesh = await createMesh({
  config: {
    services: {
      reviews: {
        endpoints: [
          { address: one.address, labels: { version: 'v1' } },
          { address: two.address, labels: { version: 'v2' } },
        ],
        subsets: { v1: { version: 'v1' }, v2: { version: 'v2' } },
        routes: [{ name: 'testers', match: { headers: { 'x-tester': 'yes' } }, to: 'v2' }, { to: { v1: 80, v2: 20 } }],
      },
    },
  },
});

// #region explain
const { service, route, targets, fields, text: page } = mesh.explain({ url: 'http://reviews/x', headers: { 'x-tester': 'yes' } });
console.log(service, route?.name, targets);
console.log(fields.find(({ name }) => name === 'timeout')?.value);
console.log(page.split('\n')[0]); // the page that `npx inmesh explain` prints
// #endregion

// #region events
const stop = mesh.events.onAny(({ type, ...detail }) => console.log(type, detail));
const release = mesh.isolate('reviews', 'to show an event');
release();
stop();
// #endregion

// #region snapshot
await (await mesh.fetch('http://reviews/x')).text();
const { config, services } = mesh.snapshot();
console.log(config.length, services.reviews?.circuit, services.reviews?.retryBudget);
for (const { labels, standing, inFlight } of services.reviews?.endpoints ?? []) console.log({ ...labels }, standing, inFlight);
// #endregion

await mesh.close();
one.close();
two.close();
