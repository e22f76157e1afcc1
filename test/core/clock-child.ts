// Awaits a call whose retry waits while nothing else keeps the process alive. Run by clock.test.ts.
import { createMesh } from '../../src/mesh/mesh.ts';

const mesh = await createMesh({
  config: { services: { reviews: { endpoints: ['127.0.0.1:9'], retries: { attempts: 1, backoff: { base: 150, max: 150 } } } } },
  transport: () => (call) => {
    call.end({ kind: 'failure', status: 503, error: null, endedAtMs: call.startedAtMs });
    const reply = {
      status: 503,
      statusText: '',
      headers: {},
      rawHeaders: [],
      intact: true,
      hold() {},
      discard() {},
      pause() {},
      resume() {},
    };
    return Promise.resolve({ ...reply, attach: (sink) => sink.onEnd({}) });
  },
});
const response = await mesh.fetch('http://reviews/');
const late = await mesh
  .call('reviews', () => new Promise<string>(() => {}), { timeout: 100 })
  .catch((error: { code: string }) => error.code);
console.log(response.status, late);
