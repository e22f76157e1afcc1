// How much a call matters travels with it: from the call to the header, from the header to the handler.
import { describe, expect, it } from 'vitest';
import { inboundContext } from '../../src/core/context.ts';
import { CRITICALITY_HEADER } from '../../src/core/headers.ts';
import { createMesh, type Mesh } from '../../src/mesh/mesh.ts';
import { serve } from './real-server.ts';

async function asked(criticality: number, headers: Record<string, string>): Promise<{ raw: (string | undefined)[]; known: number }> {
  const real = await serve((request, response) => {
    const raw = request.rawHeaders.filter((_, i) => i % 2 === 1 && request.rawHeaders[i - 1]?.toLowerCase() === CRITICALITY_HEADER);
    response.end(JSON.stringify({ raw, known: inboundContext.getStore()?.criticality }));
  });
  const mesh: Mesh = await createMesh({ config: { services: { page: { endpoints: [`127.0.0.1:${real.port}`] } } } });
  const layer: Parameters<Mesh['use']>[0] = (next) => (call) => {
    call.criticality = criticality;
    return next(call);
  };
  mesh.use(layer, { role: 'says', above: 'router' });
  const told = await (await mesh.fetch('http://page/', { headers })).json();
  await mesh.close();
  await real.close();
  return told as { raw: string[]; known: number };
}

describe('the criticality of a call', () => {
  it.each([
    ['is sent when it is known', 0, {}, ['sheddable'], 0],
    ['the highest, too', 3, {}, ['criticalPlus'], 3],
    ['is not sent when nobody has said', -1, {}, [], -1],
    ['that the caller wrote himself stands', 0, { 'X-Inmesh-Criticality': 'criticalPlus' }, ['criticalPlus'], 3],
  ])('%s', async (_, criticality, headers, raw, known) => {
    expect(await asked(criticality, headers as Record<string, string>)).toEqual({ raw, known });
  });
});
