// The run beside sidecars, without its processes: what proxies are told, how samples become figures, tables, the picture and the pages.
import { describe, expect, it } from 'vitest';
import type { TlsFiles } from '../../bench/sidecar-certificates.ts';
import { addedUs, barsOf, cpuPerCallUs, failuresOf, figureOf, proxyBytes, type SidecarReport } from '../../bench/sidecar-figures.ts';
import { figuresText, summaryText } from '../../bench/sidecar-pages.ts';
import { drawSidecars } from '../../bench/sidecar-picture.ts';
import { envoyConfig, haproxyConfig, nginxConfig } from '../../bench/sidecar-proxy-configs.ts';
import { BARE, type Load, MESH, MESH_SECURE, ONE, ROWS, securePair, TEN } from '../../bench/sidecar-rows.ts';
import { calmSamples, type SidecarSample } from '../../bench/sidecar-run.ts';
import { sidecarNotes, sidecarTables } from '../../bench/sidecar-tables.ts';

function files(name: string): TlsFiles {
  return { cert: `/t/${name}.pem`, key: `/t/${name}.key`, ca: '/t/ca.pem', both: `/t/${name}.both` };
}

const PLAIN = { port: 4_001, targets: [5_001], folder: '/t' };
const FIRST = { ...PLAIN, speaks: files('caller') };
const SECOND = { ...PLAIN, accepts: files('items') };

const SPEC = 'spiffe://cluster.local/ns/default/sa/items';

function sample(row: string, load: Load, roundKey: string, rest: Partial<SidecarSample> = {}): SidecarSample {
  return {
    row,
    load: load.name,
    roundKey,
    calls: 100,
    failures: 0,
    callsPerSecond: 1_000,
    cpuUs: 5_000,
    p50Us: 70,
    p99Us: 200,
    foreignCores: 0,
    ...rest,
  };
}

const NGINX = securePair('nginx');

const SAMPLES: readonly SidecarSample[] = [
  sample(BARE, ONE, '1.1'),
  sample(BARE, ONE, '1.1', { p50Us: 74 }),
  sample(BARE, ONE, '1.2', { p50Us: 170 }),
  sample(MESH, ONE, '1.1', { p50Us: 80 }),
  sample(MESH, ONE, '1.2', { p50Us: 173 }),
  sample(MESH, TEN, '1.1', { p99Us: 400 }),
  sample(BARE, TEN, '1.1', { p99Us: 250 }),
  sample(MESH_SECURE, ONE, '1.1', { p50Us: 112, cpuUs: 10_000, failures: 2 }),
  sample(NGINX, ONE, '1.1', { p50Us: 322, cpuUs: 15_000 }),
  sample(NGINX, ONE, '1.2', { p50Us: 422, cpuUs: 25_000 }),
];

const REPORT: SidecarReport = {
  date: '2030-01-01',
  node: 'v24.0.0',
  platform: 'linux x64',
  cores: 2,
  cpuModel: 'A & B <1>',
  isQuick: false,
  seconds: 1,
  sidecars: {
    rows: ROWS.filter(({ name }) => [BARE, MESH, MESH_SECURE, NGINX].includes(name)),
    samples: SAMPLES,
    memory: [
      { row: NGINX, proxies: 10 * 1_048_576 },
      { row: NGINX, proxies: 30 * 1_048_576 },
      { row: MESH, proxies: 0 },
    ],
    notes: ['Envoy is not installed here, so its rows are left out.'],
    rounds: 2,
    foreignCores: 0.25,
  },
  memory: {
    processRssBytes: 8 * 1_048_576,
    processHeapBytes: 6e6,
    servicesHeapBytes: 4e5,
    endpointHeapBytes: 2_048,
    idleEndpointHeapBytes: 2_049,
  },
};

describe('what proxies are told', () => {
  it.each([
    ['nginx', nginxConfig],
    ['HAProxy', haproxyConfig],
    ['Envoy', envoyConfig],
  ])('%s: no word of TLS without it, loopback only, one worker', (_, config) => {
    const text = config(PLAIN);
    expect(text).not.toMatch(/ssl|tls|\.pem/i);
    expect(text).not.toMatch(/0\.0\.0\.0|\*:|\[::\]/);
    expect(text).toContain('127.0.0.1');
    expect(text).toMatch(/4001/);
    expect(text).toMatch(/5001/);
  });

  it.each([
    ['nginx', nginxConfig, ['proxy_ssl_verify on', 'proxy_ssl_name items', 'proxy_ssl_certificate /t/caller.pem', 'https://items']],
    ['HAProxy', haproxyConfig, ['crt /t/caller.both', 'verify required', 'verifyhost items', 'sni str(items)']],
    ['Envoy', envoyConfig, ['UpstreamTlsContext', '/t/caller.key', `"exact":"${SPEC}"`, '"sni":"items"']],
  ])('%s as the first of two shows its certificate and verifies the next', (_, config, words) => {
    for (const word of words) expect(config(FIRST)).toContain(word);
  });

  it.each([
    ['nginx', nginxConfig, ['listen 127.0.0.1:4001 ssl', 'ssl_verify_client on', 'ssl_client_certificate /t/ca.pem', 'http://items']],
    ['HAProxy', haproxyConfig, ['bind 127.0.0.1:4001 ssl crt /t/items.both', 'verify required']],
    ['Envoy', envoyConfig, ['DownstreamTlsContext', '"require_client_certificate":true', '"prefix":"spiffe://cluster.local/"']],
  ])('%s as the second takes nothing without a certificate', (_, config, words) => {
    for (const word of words) expect(config(SECOND)).toContain(word);
  });

  it('Envoy is told in JSON', () => {
    expect(() => JSON.parse(envoyConfig(FIRST)) as unknown).not.toThrow();
  });
});

describe('plays that other programs disturbed', () => {
  const calm = ['1', '2', '3'].map((key) => sample(BARE, ONE, key));
  const disturbed = sample(BARE, ONE, '4', { foreignCores: 0.31 });

  it('are left out', () => {
    expect(calmSamples([disturbed, ...calm, sample(BARE, ONE, '5', { foreignCores: Number.NaN })])).toHaveLength(4);
    expect(calmSamples([disturbed, ...calm])).toEqual(calm);
  });

  it('are kept, all of them, when too few of any row would be left', () => {
    const other = [disturbed, ...calm].map((one) => ({ ...one, load: TEN.name }));
    expect(calmSamples([disturbed, ...calm, ...other.slice(0, 3)])).toHaveLength(7);
    expect(calmSamples([disturbed, ...calm, ...other])).toHaveLength(6);
  });
});

describe('figures', () => {
  const { sidecars } = REPORT;

  it('differences are taken round by round: a slow round of the machine does not show', () => {
    expect(addedUs(sidecars, MESH, BARE, ONE, 'p50Us')).toBeCloseTo((80 - 72 + 3) / 2);
    expect(addedUs(sidecars, MESH, BARE, TEN, 'p99Us')).toBe(150);
    expect(figureOf(sidecars, BARE, ONE, 'p50Us')).toBe(74);
  });

  it('are NaN for what was not played', () => {
    expect(addedUs(sidecars, NGINX, BARE, TEN, 'p50Us')).toBeNaN();
    expect(cpuPerCallUs(sidecars, NGINX, TEN)).toBeNaN();
    expect(proxyBytes(sidecars, MESH)).toBeNaN();
  });

  it('CPU is that of all rounds over all calls', () => {
    expect(cpuPerCallUs(sidecars, NGINX, ONE)).toBe(200);
    expect(failuresOf(sidecars, MESH_SECURE)).toBe(2);
    expect(proxyBytes(sidecars, NGINX)).toBe(20 * 1_048_576);
  });

  it('bars are kept up to the last µs', () => {
    const verdicts = barsOf(REPORT).map(({ item, unit, measured, verdict }) => [
      item,
      unit === '×' ? measured : Math.round(measured),
      verdict,
    ]);
    expect(verdicts).toEqual([
      ['p50 added to undici.request, 1 call at a time', 6, 'kept'],
      ['p99 added to undici.request, 10 calls at once', 150, 'missed'],
      ['p50 ahead of two nginx with mTLS, 1 call at a time', 210, 'kept'],
      ['CPU of all processes, of two nginx with mTLS, 1 call at a time', 0.5, 'kept'],
      ['The same, 10 calls at once', Number.NaN, 'not measured'],
      ...['HAProxy', 'Envoy'].flatMap((title) => [
        [`p50 ahead of two ${title} with mTLS, 1 call at a time`, Number.NaN, 'not measured'],
        [`CPU of all processes, of two ${title} with mTLS, 1 call at a time`, Number.NaN, 'not measured'],
        ['The same, 10 calls at once', Number.NaN, 'not measured'],
      ]),
      ['Heap of a process that calls 10 services, code included, over undici alone', 6, 'missed'],
      ['Of that, what the 10 services take', 0, 'kept'],
      ['Heap for each of 1,000 endpoints, all called, over undici alone', 2_048, 'kept'],
      ['The same before they are called', 2_049, 'missed'],
    ]);
  });

  it('a quick run gives no verdict on time', () => {
    const { verdict } = barsOf({ ...REPORT, isQuick: true })[0] ?? {};
    expect(verdict).toBe('run too short');
  });
});

describe('tables and pages', () => {
  it('say what was left out and what failed', () => {
    expect(sidecarNotes(REPORT)).toEqual([
      '2030-01-01, Node v24.0.0, linux x64, 2 cores (A & B <1>), full run of 1 s, 2 rounds, other programs used 0.25 cores.',
      'Envoy is not installed here, so its rows are left out.',
      `2 calls failed (${MESH_SECURE}).`,
    ]);
  });

  it('say where a bar cannot be kept by anybody', () => {
    const samples = SAMPLES.map((one) => (one.row === NGINX ? { ...one, p50Us: one.p50Us - 60 } : one));
    const notes = sidecarNotes({ ...REPORT, sidecars: { ...REPORT.sidecars, samples } });
    expect(notes).toContain('Two nginx with mTLS add 191 µs here, so that nothing can be 200 µs ahead of them.');
  });

  it('have as many cells as columns, and one row for each that was played', () => {
    for (const { columns, rows } of sidecarTables(REPORT)) for (const row of rows) expect(row).toHaveLength(columns.length);
    expect(sidecarTables(REPORT)[0]?.rows[1]).toEqual([MESH, '127', '+6', '200', '+0', '1000', '50', '1.00']);
    expect(sidecarTables(REPORT)[3]?.rows).toEqual([
      [MESH, '8'],
      [MESH_SECURE, '16'],
      [NGINX, '20'],
    ]);
  });

  it('go into the docs and the README', () => {
    expect(figuresText(REPORT)).toMatch(/^!\[[^\]]+\]\(pictures\/sidecar\.svg\)\n\n2030-01-01/);
    const readme = summaryText(REPORT);
    expect(readme).toContain('](docs/pictures/sidecar.svg)');
    expect(readme).toContain('+40 µs at the median over bare undici');
    expect(readme).toContain('+251 µs and 200 µs through two nginx');
    expect(readme.split('\n\n')[1]?.split('\n')).toHaveLength(2);
  });
});

describe('the picture', () => {
  const svg = drawSidecars(REPORT);

  it('is well formed, escaped, and the same for the same run', () => {
    expect(svg).toBe(drawSidecars(REPORT));
    expect(svg).toContain('A &amp; B &lt;1&gt;');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(svg.match(/<text/g)?.length).toBe(svg.match(/<\/text>/g)?.length);
  });

  it('has two bars for each row, the longest for the greatest value, and all of them within it', () => {
    const bars = [...svg.matchAll(/<rect class="(?:own|pale|other)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g)];
    expect(bars).toHaveLength(2 * REPORT.sidecars.rows.length);
    const added = bars.slice(0, REPORT.sidecars.rows.length).map(([, , , width]) => Number(width));
    expect(Math.max(...added)).toBe(added[3]);
    for (const [, x, , width] of bars) expect(Number(x) + Number(width)).toBeLessThan(860);
  });

  it('says so where something was not measured', () => {
    const { sidecars } = REPORT;
    expect(drawSidecars({ ...REPORT, sidecars: { ...sidecars, samples: [] } })).toContain('not measured');
  });
});
