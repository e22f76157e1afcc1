// A layer of your own: a function around the next one. Where it stands is said by the role of a neighbour.
import { createMesh, type Layer } from 'inmesh';
import { status, tinyServer } from './tiny-server.ts';

const good = await tinyServer((request, response) => response.end(`hello ${request.headers['x-user']}`));
const broken = await tinyServer(status(503));
const mesh = await createMesh({ config: { services: { greeter: { endpoints: [good.address, broken.address] } } } });

// #region layer
const addUser: Layer = (next) => (call) => {
  call.headers = [...call.headers, 'x-user', 'ada'];
  return next(call);
};
mesh.use(addUser, { role: 'add-user', above: 'retry' }); // once for each call

const logAttempts: Layer = (next) => async (call) => {
  const reply = await next(call);
  console.log(
    `  attempt ${call.attempt} to ${call.endpoint?.address === good.address ? 'the good one' : 'the broken one'}: ${reply.status}`,
  );
  return reply;
};
mesh.use(logAttempts, { role: 'log-attempts', below: 'retry' }); // once for each attempt
// #endregion

for (let i = 1; i <= 3; i++) {
  console.log(`call ${i}`);
  const response = await mesh.fetch('http://greeter/');
  console.log(`  ${response.status} ${await response.text()}`);
}

await mesh.close();
good.close();
broken.close();
