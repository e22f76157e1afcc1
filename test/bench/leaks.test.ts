// The leak gates in their short form: what a few calls of every kind leave reachable.
import { beforeAll, describe, expect, it } from 'vitest';
import { LEAK_KINDS, PROBE_CALLS, probeCalls } from '../../bench/leak-gates.ts';
import { buildIfStale } from '../../bench/library.ts';

const TIMEOUT_MS = 60_000;

beforeAll(() => buildIfStale(), TIMEOUT_MS);

describe('what calls leave behind', () => {
  it('no answer, no signal, no listener and no socket', { timeout: TIMEOUT_MS }, async () => {
    const { kinds, sockets, socketsSeen } = await probeCalls(PROBE_CALLS / 4);
    expect(kinds).toEqual(LEAK_KINDS.map((kind) => ({ kind, answers: 0, signals: 0, listeners: 0 })));
    expect(sockets).toBe(0);
    expect(socketsSeen).toBeGreaterThan(10);
  });
});
