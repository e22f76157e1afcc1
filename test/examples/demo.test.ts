// The demo in a shortened form, as `npm start -- --json --seconds 12 --rate 30` runs it. The bounds leave room for a busy machine
// where time is measured, and none where it is not: nothing may be lost, and no mobile user may go astray.
import { execFile } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';

interface Stats {
  readonly calls: number;
  readonly lost: number;
  readonly answered: number;
  readonly p99Ms: number;
  readonly retries: number;
  readonly drawn: Readonly<Record<'v1' | 'v2' | 'v3', number>>;
}

interface Lanes {
  readonly plain: Stats;
  readonly inmesh: Stats;
}

interface RpcCounts {
  readonly calls: number;
  readonly messages: number;
  readonly failed: number;
}

interface Edge {
  readonly caller: string;
  readonly called: string;
  readonly spiffeId: string;
  readonly calls: number;
  readonly renewed: number;
}

interface Run {
  readonly phases: readonly (Lanes & { readonly name: string })[];
  readonly total: Lanes;
  readonly edges: readonly Edge[];
  readonly rpcs: Readonly<Record<'plain' | 'inmesh', RpcCounts>>;
  readonly checks: readonly { readonly name: string; readonly holds: boolean; readonly text: string }[];
  readonly holds: boolean;
  readonly isBusy: boolean;
  readonly trace: readonly string[];
}

const RUNS_MAX = 3;

async function runDemo(): Promise<{ demo: Run; code: number; stderr: string }> {
  const args = ['examples/bookinfo/main.ts', '--json', '--seconds', '12', '--rate', '30'];
  const cwd = new URL('../..', import.meta.url);
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd, timeout: 45_000, maxBuffer: 1 << 24 }, (error, stdout, stderr) =>
      resolve({ demo: JSON.parse(stdout) as Run, code: error === null ? 0 : Number(error.code ?? -1), stderr }),
    );
  });
}

describe('the demo', () => {
  let demo: Run;
  let code: number;
  let stderr: string;

  // On a machine too busy to serve even the healthy calls in time nothing is measured; such a run is made again.
  beforeAll(async () => {
    for (let run = 0; run === 0 || (demo.isBusy && run < RUNS_MAX); run++) ({ demo, code, stderr } = await runDemo());
  }, 150_000);

  const check = (name: string): string => {
    const found = demo.checks.find((candidate) => candidate.name === name);
    return found === undefined ? `${name}: no such check` : `${found.holds ? 'holds' : 'does not hold'}: ${found.text}`;
  };

  it('says nothing on stderr, and its exit code is its verdict', () => {
    expect(stderr).toBe('');
    expect(code).toBe(demo.holds ? 0 : 1);
  });

  it('shows what plain fetch loses', () => {
    expect(check('plain suffers')).toMatch(/^holds/);
    for (const phase of demo.phases.slice(1, 4)) expect(phase.plain.lost, phase.name).toBeGreaterThan(0);
  });

  it('loses nothing through inmesh', () => {
    expect(demo.total.inmesh.calls).toBe(demo.total.plain.calls);
    expect(demo.total.inmesh.calls).toBeGreaterThan(250);
    // Three runs on a machine that cannot keep up: all that can be said is who lost less.
    if (demo.isBusy) expect(demo.total.inmesh.lost).toBeLessThan(demo.total.plain.lost / 2);
    else expect(check('success')).toMatch(/^holds/);
  });

  it('keeps the tail short', () => {
    const healthy = demo.phases[0]?.inmesh.p99Ms ?? 0;
    if (!demo.isBusy) expect(demo.total.inmesh.p99Ms).toBeLessThan(Math.max(6 * healthy, 800));
    expect(demo.total.inmesh.p99Ms).toBeLessThan(demo.total.plain.p99Ms);
  });

  it('splits as asked, and again after mesh.yaml was rewritten', () => {
    const canary = demo.phases[5]?.inmesh.drawn;
    expect(demo.phases[4]?.inmesh.drawn.v3).toBe(0);
    expect(demo.total.inmesh.drawn.v2).toBeGreaterThan(12);
    expect(demo.total.inmesh.drawn.v2).toBeLessThan(29);
    expect(canary?.v3).toBeGreaterThan(0);
    expect(canary?.v3).toBeLessThan(20);
  });

  it('sends every mobile user to v2', () => expect(check('mobile')).toMatch(/^holds/));

  it('knows every caller between services by its certificate', () => {
    expect(demo.edges.map(({ spiffeId, called }) => `${spiffeId} → ${called}`)).toEqual([
      'spiffe://cluster.local/ns/default/sa/productpage → details',
      'spiffe://cluster.local/ns/default/sa/productpage → reviews',
      'spiffe://cluster.local/ns/default/sa/reviews → ratings',
    ]);
    if (!demo.isBusy) for (const { calls, called } of demo.edges) expect(calls, called).toBeGreaterThan(250);
    expect(check('identities')).toMatch(/^holds/);
  });

  it('refuses a caller without a certificate', () => {
    expect(check('plain caller')).toMatch(/^holds: .* cut off by details before its request was read/);
  });

  it('denies who may not call, by HTTP and by gRPC, and names the policy', () => {
    const text = check('authorization');
    expect(text).toMatch(/^holds/);
    expect(text).toContain('details → reviews: 403 RBAC: access denied, by default/reviews-for-productpage');
    expect(text).toContain('details → ratings: PERMISSION_DENIED RBAC: access denied, by default/ratings-for-reviews');
  });

  it('takes new certificates in mid-run', () => {
    const text = check('rotation');
    expect(text).toContain('9 of 9 processes');
    for (const { renewed, calls, called } of demo.edges) expect(renewed, called).toBeLessThan(calls);
    if (!demo.isBusy) expect(text).toMatch(/^holds: .* pages lost meanwhile: 0$/);
  });

  it('calls ratings by gRPC in both lanes, with streams', () => {
    for (const { calls, messages } of Object.values(demo.rpcs)) {
      expect(calls).toBeGreaterThan(demo.isBusy ? 0 : 400);
      // Two messages for each stream, and a stream for each unary call; a few were under way when the counting began.
      expect(messages).toBeGreaterThan(calls * 0.9);
      expect(messages).toBeLessThan(calls * 1.1);
    }
    if (!demo.isBusy) expect(check('gRPC')).toMatch(/^holds/);
  });

  it('retries, and has a trace of it through three services', () => {
    expect(demo.total.inmesh.retries).toBeGreaterThan(0);
    const tree = demo.trace.join('\n');
    const parts = [
      'productpage-inmesh',
      'attempt 1',
      'attempt 2',
      'reviews-',
      'gRPC bookinfo.Ratings/ListStars',
      'ratings serves bookinfo.Ratings/',
    ];
    for (const part of parts) expect(tree).toContain(part);
  });
});
