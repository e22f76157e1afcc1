// Layers of your own that refuse, and that learn how calls end. See also 08-user-layer.ts.
import { createMesh, type Layer, MeshError } from 'inmesh';
import { text, tinyServer } from '../tiny-server.ts';

const server = await tinyServer(text('hello'));
const mesh = await createMesh({ config: { services: { greeter: { endpoints: [server.address] } } } });

// #region refuse
const needsTenant: Layer = (next) => (call) => {
  if (call.header('x-tenant') !== undefined) return next(call);
  const error = new MeshError({ code: 'call_failed', message: 'the call names no tenant', where: { service: 'greeter' } });
  call.end({ kind: 'ignored', status: 0, error, endedAtMs: mesh.clock.now() }); // first end the call, then reject
  return Promise.reject(error);
};
mesh.use(needsTenant, { role: 'needs-tenant', above: 'retry' });
// #endregion

// #region end
const slowest = { ms: 0, path: '' };
const watchSlow: Layer = (next) => (call) => {
  call.onEnd((ended, { endedAtMs }) => {
    const ms = endedAtMs - ended.startedAtMs;
    if (ms > slowest.ms) Object.assign(slowest, { ms, path: ended.path });
  });
  return next(call); // not async: costs no promise
};
mesh.use(watchSlow, { role: 'watch-slow', above: 'router' });
// #endregion

await mesh.fetch('http://greeter/a').catch((error) => console.log(error.message));
await (await mesh.fetch('http://greeter/b', { headers: { 'x-tenant': 'ada' } })).text();
console.log(`the slowest call was ${slowest.path}`);
console.log(
  mesh
    .explain({ url: 'http://greeter/' })
    .pipeline.map(({ role }) => role)
    .join(' ▸ '),
);

await mesh.close();
server.close();
