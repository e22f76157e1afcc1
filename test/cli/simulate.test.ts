import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { pathologies } from '../../src/testing.ts';
import { type CliResult, cliFolder } from './run-cli.ts';

const folder = cliFolder({
  'mesh.yaml': `services:
  reviews: { endpoints: ['r1:80', 'r2:80', 'r3:80'], timeout: 1s, retries: { perTryTimeout: 300ms } }
  ratings: { dns: 'ratings.internal:80', timeout: 1s }
  jobs: { endpoints: [] }
`,
  'bad.yaml': 'services:\n  a:\n    dns: a:80\n    timout: 1s\n',
  'list.yaml': '- { address: "l1:80", locality: r/a }\n- { address: "l2:80", locality: r/b }\n',
  'sub/zones.yaml': 'services: { zoned: { endpointsFile: ../list.yaml, timeout: 1s } }\n',
  'none.yaml': 'services: { jobs: { endpoints: [] } }\n',
});
afterAll(() => folder.remove());

const QUICK = ['--duration', '20s', '--rps', '100', '--clients', '3'];

function run(...args: string[]): Promise<CliResult> {
  return folder.run(['simulate', ...QUICK, ...args]);
}

interface Output {
  readonly ok: boolean;
  readonly services: readonly {
    readonly service: string;
    readonly world: { readonly endpoints: readonly string[]; readonly clients: number; readonly rps: number; readonly seed: number };
    readonly scenarios: readonly {
      readonly pathology: string;
      readonly inmesh: { readonly recoveryMs: number | null; readonly verdict: string; readonly series: { readonly calls: number[] } };
      readonly plain: { readonly verdict: string };
    }[];
    readonly skipped: readonly { readonly scenario: string; readonly why: string }[];
  }[];
  readonly expectations: readonly { readonly text: string; readonly found: number; readonly isMet: boolean }[];
}

describe('inmesh simulate', () => {
  it('prints a table: each scenario with the configuration and without any policy', async () => {
    const { code, out, err } = await run('--service', 'reviews', '--scenario', 'healthy', '--scenario', 'sinkhole');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const lines = out.split('\n');
    expect(lines[0]).toBe(
      'reviews: 3 endpoints of 2 workers, 3 clients, 100 calls a second (40 % of what the endpoints can serve); trouble from 5s to 10s of 20s; seed 1',
    );
    expect(lines[2]).toMatch(
      /^scenario +good\/s +goodput +p50 +p99 +p99\.9 +attempts +recovery +worst +verdict +than plain +goodput over time$/,
    );
    expect(lines[3]).toMatch(/^healthy +\d+ +100 % .* 1\.00 +0 ms +– +unharmed +█{15}$/);
    expect(lines[4]).toMatch(/^ {2}plain +\d+ +100 % /);
    expect(lines[5]).toMatch(/^sinkhole .* better +█/);
    expect(lines[6]).toMatch(/^ {2}plain .* hurt +████/);
    expect(out).toContain('plain: the same services, routes and timeouts, round robin, no policy.');
    expect(out).not.toContain('\u001b[');
  });

  it('gives the same for the same seed, byte for byte: table, JSON and picture', async () => {
    const all = async (seed: string, svg: string): Promise<string> => {
      const { out } = await run('--json', '--service', 'reviews', '--scenario', 'rolling-deploy', '--seed', seed, '--svg', svg);
      return out + readFileSync(join(folder.path, svg), 'utf8');
    };
    const [one, same, other] = [await all('7', 'a.svg'), await all('7', 'b.svg'), await all('8', 'c.svg')];
    expect(same).toBe(one);
    expect(other).not.toBe(one);
    expect(readFileSync(join(folder.path, 'c.svg'), 'utf8')).not.toBe(readFileSync(join(folder.path, 'a.svg'), 'utf8'));
  });

  it('prints JSON for programs, of every service that has endpoints', async () => {
    const { code, out } = await run('--json', '--endpoints', '2', '--scenario', 'overload', '--scenario', 'zone-loss');
    const { ok, services, expectations } = JSON.parse(out) as Output;
    expect([code, ok, expectations]).toEqual([0, true, []]);
    expect(services.map(({ service, world }) => [service, world.endpoints])).toEqual([
      ['reviews', ['r1:80', 'r2:80', 'r3:80']],
      ['ratings', ['ratings-1:80', 'ratings-2:80']],
    ]);
    expect(services[0]?.world).toMatchObject({ clients: 3, rps: 100, seed: 1, service: 'reviews', durationMs: 20_000 });
    for (const { scenarios, skipped } of services) {
      expect(scenarios.map(({ pathology }) => pathology)).toEqual(['overload']);
      expect(scenarios[0]?.inmesh.series.calls).toHaveLength(20);
      expect(skipped).toEqual([{ scenario: 'zone-loss', why: 'needs endpoints in 2 zones (locality); there are 0' }]);
    }
    // Never is null.
    expect([scenariosDown(services), services[0]?.scenarios[0]?.plain.verdict]).toEqual([true, 'down']);
  });

  it('runs all scenarios, and says which mean nothing here', async () => {
    const { out } = await run('sub/zones.yaml');
    for (const name of Object.keys(pathologies)) expect(out).toMatch(new RegExp(`^${name} `, 'm'));
    expect(out).not.toContain('left out');
    expect((await run('--service', 'reviews', '--scenario', 'zone-loss')).out).toMatch(/^zone-loss +left out: needs endpoints in 2 zones/m);
  });

  it('lists the scenarios', async () => {
    const { code, out } = await folder.run(['simulate', '--list']);
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n')).toHaveLength(Object.keys(pathologies).length);
    expect(out).toContain('slow-replica      one endpoint is 10 times slower than the others\n');
  });

  it('prints help, with every option', async () => {
    const { code, out } = await folder.run(['simulate', '--help']);
    expect(code).toBe(0);
    for (const option of ['scenario NAME', 'list', 'service NAME', 'rps NUMBER', 'clients NUMBER', 'duration TIME', 'endpoints NUMBER'])
      expect(out).toContain(`--${option}`);
    for (const option of ['seed NUMBER', "expect '[NAME:]FIGURE>=VALUE'", 'svg FILE', 'json']) expect(out).toContain(`--${option}`);
  });

  it('is coloured where that is wanted', async () => {
    const args = ['simulate', ...QUICK, '--service', 'reviews', '--scenario', 'sinkhole'];
    expect((await folder.runProcess(args, { FORCE_COLOR: '1' })).out).toMatch(/\u001b\[33mhurt +\u001b\[39m/);
    expect((await folder.runProcess(args, { NO_COLOR: '1' })).out).not.toContain('\u001b[');
  });

  it('draws a picture, one for each service', async () => {
    const { out } = await run('--scenario', 'sinkhole', '--svg', 'out.svg');
    for (const service of ['reviews', 'ratings']) {
      const path = join(folder.path, `out.${service}.svg`);
      expect(out).toContain(`Pictures: ${path}`);
      expect(readFileSync(path, 'utf8')).toContain(`>${service}: sinkhole</text>`);
    }
  });
});

function scenariosDown(services: Output['services']): boolean {
  return services.flatMap(({ scenarios }) => scenarios).every(({ inmesh }) => (inmesh.recoveryMs === null) === (inmesh.verdict === 'down'));
}

describe('expectations', () => {
  const reviews = ['--service', 'reviews', '--scenario', 'sinkhole', '--scenario', 'overload'];

  it('that are met leave the exit code at 0', async () => {
    const { code, out } = await run(
      ...reviews,
      '--expect',
      'sinkhole:goodput>=99%',
      '--expect',
      'sinkhole:worst<0.1',
      '--expect',
      'attempts<=2',
    );
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n').at(-1)).toBe('√ 4 of 4 expectations met');
  });

  it('that are not met are named, and make it 1', async () => {
    const { code, out } = await run(...reviews, '--expect', 'goodput>=0.99', '--expect', 'sinkhole:p99<=1ms');
    expect(code).toBe(1);
    expect(out).toMatch(/^× reviews, overload: goodput>=0\.99, it is 0\.\d+$/m);
    expect(out).toMatch(/^× reviews, sinkhole: sinkhole:p99<=1ms, it is \d+ms$/m);
    expect(out.trimEnd().split('\n').at(-1)).toBe('× 1 of 3 expectations met');
  });

  it('are in the JSON', async () => {
    const { code, out } = await run(...reviews, '--json', '--expect', 'sinkhole:p99<=1ms');
    const { ok, expectations } = JSON.parse(out) as Output;
    expect([code, ok]).toEqual([1, false]);
    expect(expectations).toMatchObject([{ text: 'sinkhole:p99<=1ms', service: 'reviews', scenario: 'sinkhole', isMet: false }]);
  });
});

describe('wrong use', () => {
  it.each<[string, string[], string]>([
    ['an unknown scenario', ['--scenario', 'slow-replcia'], 'no scenario "slow-replcia"; did you mean "slow-replica"?'],
    ['a scenario like no other', ['--scenario', 'flood'], `no scenario "flood"; there are ${Object.keys(pathologies).join(', ')}`],
    ['an unknown service', ['--service', 'reveiws'], 'no service "reveiws" in the configuration; did you mean "reviews"?'],
    ['a service like no other', ['--service', 'x'], 'no service "x" in the configuration; there are reviews, ratings'],
    ['a service without endpoints', ['--service', 'jobs'], 'service "jobs" has no endpoints; it is for mesh.call only'],
    ['no service at all', ['none.yaml'], 'no service of the configuration has endpoints; nothing can be simulated'],
    ['no number', ['--rps', 'many'], '--rps "many": give a whole number from 1 to 1000000'],
    ['too many clients', ['--clients', '1001'], '--clients "1001": give a whole number from 1 to 1000'],
    ['a short time', ['--duration', '5s'], '--duration "5s": give a duration of 20s or more, such as 1m'],
    ['no expectation', ['--expect', 'all well'], "the expectation \"all well\" is not like 'goodput>=0.99' or 'slow-replica:p99<=200ms'"],
    [
      'an unknown figure',
      ['--expect', 'p98<=1s'],
      'the expectation "p98<=1s": no figure "p98"; there are goodput, p50, p99, p99.9, attempts, recovery, worst',
    ],
    [
      'an expectation of an unknown scenario',
      ['--expect', 'sinkhoel:p99<=1s'],
      'the expectation "sinkhoel:p99<=1s": no scenario "sinkhoel"; did you mean "sinkhole"?',
    ],
    ['a time without unit', ['--expect', 'p99<=100'], 'the expectation "p99<=100": 100 is no duration such as 200ms'],
    ['a share that is a time', ['--expect', 'goodput>=1s'], 'the expectation "goodput>=1s": 1s is no number'],
  ])('exits with 2 for %s', async (_name, args, message) => {
    const { code, out, err } = await folder.run(['simulate', ...args]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.split('\n')[0]).toBe(`inmesh simulate: ${message}`);
  });

  it('prints the faults of a configuration', async () => {
    const bad = await folder.run(['simulate', 'bad.yaml']);
    expect(bad).toMatchObject({ code: 1, out: '' });
    expect(bad.err).toMatch(/^bad\.yaml:4:5 error {2}unknown key/);
    const json = await folder.run(['simulate', 'bad.yaml', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, issues: [{ position: { line: 4 } }] });
    const missing = await folder.run(['simulate', 'nope.yaml']);
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining('cannot read nope.yaml: there is no such file')]);
  });
});
