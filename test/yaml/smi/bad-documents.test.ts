import { describe, expect, it } from 'vitest';
import { goldenDocuments, neverThrows } from '../fuzz-documents.ts';

const FOLDER = 'smi';

describe('faults in documents of SMI', () => {
  it('are put into every kind', () => {
    expect([...goldenDocuments(FOLDER).kinds]).toEqual(
      expect.arrayContaining(['HTTPRouteGroup', 'IdentityBinding', 'Service', 'TCPRoute', 'TrafficSplit', 'TrafficTarget', 'UDPRoute']),
    );
  });

  it('never throw, and have places', () => neverThrows(FOLDER), 60_000);
});
