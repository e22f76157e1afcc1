// The core on workerd: the same cases, in a Worker. The mesh is made in the first request and serves the later ones, as in a Worker of
// yours. `inmesh` is bundled in by runtimes.ts.
import { createMesh } from 'inmesh';
import { overFetch } from 'inmesh/fetch';
import { simulate } from 'inmesh/testing';
import { CORE, coreConfig, OVER_FETCH, runCases } from './cases.ts';

let made;

const LATER = {
  'the same mesh in a later request: answer, per-try timeout, deadline': async (mesh) => {
    for (const name of ['GET', 'per-try timeout, another endpoint', 'deadline']) await CORE[name](mesh);
  },
};

const MORE = {
  'configuration from a file': async () => {
    await createMesh({ config: 'mesh.yaml', watch: false, ...overFetch() });
  },
  'inmesh/testing': async () => {
    const result = await simulate({ load: 50, durationMs: 2_000 });
    if (!(result.stats().calls > 0)) throw new Error('no calls');
  },
};

/** By sockets of undici: why not. */
async function overUndici(config) {
  const mesh = await createMesh({ config });
  return runCases({ GET: CORE.GET }, mesh);
}

export default {
  async fetch(request, { PEERS }) {
    const config = coreConfig(JSON.parse(PEERS));
    made ??= createMesh({ config, ...overFetch() });
    const mesh = await made;
    switch (new URL(request.url).pathname) {
      case '/first':
        return Response.json(await runCases(CORE, mesh));
      case '/later':
        return Response.json(await runCases(LATER, mesh));
      case '/more':
        return Response.json([...(await runCases(OVER_FETCH, mesh)), ...(await runCases(MORE))]);
      default:
        return Response.json(await overUndici(config));
    }
  },
};
