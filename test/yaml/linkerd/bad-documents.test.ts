import { describe, expect, it } from 'vitest';
import { goldenDocuments, neverThrows } from '../fuzz-documents.ts';

const FOLDER = 'linkerd';

describe('faults in documents of Linkerd', () => {
  it('are put into every kind', () => {
    expect([...goldenDocuments(FOLDER).kinds]).toEqual(
      expect.arrayContaining([
        'AuthorizationPolicy',
        'GRPCRoute',
        'HTTPLocalRateLimitPolicy',
        'HTTPRoute',
        'MeshTLSAuthentication',
        'NetworkAuthentication',
        'Server',
        'ServerAuthorization',
        'Service',
        'ServiceProfile',
      ]),
    );
  });

  it('never throw, and have places', () => neverThrows(FOLDER), 60_000);
});
