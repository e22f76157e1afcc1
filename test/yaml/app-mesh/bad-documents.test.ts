import { describe, expect, it } from 'vitest';
import { goldenDocuments, neverThrows } from '../fuzz-documents.ts';

const FOLDER = 'app-mesh';

describe('faults in documents of App Mesh', () => {
  it('are put into every kind', () => {
    expect([...goldenDocuments(FOLDER).kinds]).toEqual(expect.arrayContaining(['Mesh', 'VirtualNode', 'VirtualRouter', 'VirtualService']));
  });

  it('never throw, and have places', () => neverThrows(FOLDER), 60_000);
});
