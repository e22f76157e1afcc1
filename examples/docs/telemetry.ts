// Telemetry that is not the default: no spans, metrics only where a reader asks for them.
import { createMesh } from 'inmesh';
import { text, tinyServer } from '../tiny-server.ts';

const server = await tinyServer(text('hello'));
const config = { services: { greeter: { endpoints: [server.address] } } };

// #region options
const mesh = await createMesh({
  config,
  telemetry: {
    spans: 'attempts', // default: own
    metrics: 'producer', // default: auto; or off
    httpMetrics: false, // default: auto
    grpcMetrics: true, // default: false
  },
});
// #endregion

await (await mesh.fetch('http://greeter/')).text();
const { resourceMetrics } = await mesh.metricProducer.collect();
for (const { descriptor } of resourceMetrics.scopeMetrics[0]?.metrics ?? []) console.log(descriptor.name);

await mesh.close();
server.close();
