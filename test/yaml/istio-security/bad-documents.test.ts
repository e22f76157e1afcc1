import { describe, expect, it } from 'vitest';
import { goldenDocuments, neverThrows } from '../fuzz-documents.ts';

const FOLDER = 'istio-security';

describe("faults in documents of Istio's security documents", () => {
  it('are put into every kind', () => {
    expect([...goldenDocuments(FOLDER).kinds]).toEqual(
      expect.arrayContaining(['AuthorizationPolicy', 'PeerAuthentication', 'RequestAuthentication']),
    );
  });

  it('never throw, and have places', () => neverThrows(FOLDER), 60_000);
});
