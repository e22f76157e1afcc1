// The leak gates over thousands of calls of every kind; the test beside this one is their short form, and `npm run bench:leaks` runs
// them in full length.
import { beforeAll, describe, expect, it } from 'vitest';
import {
  CALLS_GROWTH_MAX,
  countRetrySockets,
  HOSTS_GROWTH_MAX,
  LEAK_KINDS,
  measureCalls,
  measureHosts,
  RETRY_SOCKETS_MAX,
  SHORT_LEAK_PLAN,
} from '../../bench/leak-gates.ts';
import { buildIfStale } from '../../bench/library.ts';

const TIMEOUT_MS = 60_000;
const { calls, hosts, fetchedHosts } = SHORT_LEAK_PLAN;

beforeAll(() => buildIfStale(), TIMEOUT_MS);

describe('what calls leave behind', () => {
  it(`twenty sequential 503s that are retried open at most ${RETRY_SOCKETS_MAX} sockets`, { timeout: TIMEOUT_MS }, async () => {
    const sockets = await countRetrySockets();
    expect(sockets).toBeGreaterThan(0);
    expect(sockets).toBeLessThanOrEqual(RETRY_SOCKETS_MAX);
  });

  it.each(LEAK_KINDS)(`${calls} calls (%s) leave less than 200 KiB`, { timeout: TIMEOUT_MS }, async (kind) => {
    expect((await measureCalls(kind, calls)).grownBytes).toBeLessThan(CALLS_GROWTH_MAX);
  });

  it('sees calls that leave something behind', { timeout: TIMEOUT_MS }, async () => {
    const { grownBytes } = await measureCalls('success', 2_000, 200);
    expect(grownBytes).toBeGreaterThan(CALLS_GROWTH_MAX);
  });
});

describe('what hosts without a service leave behind', () => {
  const shareOf = (count: number): number => (HOSTS_GROWTH_MAX * count) / 1_000_000;

  it(`${hosts} of them through mesh.dispatcher`, { timeout: TIMEOUT_MS }, async () => {
    expect((await measureHosts('dispatcher', hosts)).grownBytes).toBeLessThan(shareOf(hosts));
  });

  it(`${fetchedHosts} of them through mesh.fetch`, { timeout: TIMEOUT_MS }, async () => {
    expect((await measureHosts('fetch', fetchedHosts)).grownBytes).toBeLessThan(shareOf(fetchedHosts));
  });
});
