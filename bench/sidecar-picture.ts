// The comparison as one picture: what each way adds to the median call, and what a call costs all processes. Readable on light and
// dark ground. Equal input gives equal bytes.
import { BARE, ONE } from './sidecar-rows.ts';
import { addedUs, cpuPerCallUs, type SidecarReport } from './sidecar-figures.ts';

interface Bar {
  readonly name: string;
  readonly look: 'own' | 'pale' | 'other';
  readonly value: number;
}

const WIDTH = 860;
const NAMES = 196;
const PAD = 18;
const ROW = 22;
const HEAD = 92;
const FOOT = 30;
const GAP = 64;
/** Room for the number behind the longest bar. */
const NUMBER = 52;

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function text(x: number, y: number, look: string, content: string): string {
  return `<text class="${look}" x="${x}" y="${y}">${escaped(content)}</text>`;
}

function drawBars(bars: readonly Bar[], x: number, width: number, most: number, label: (value: number) => string): string[] {
  return bars.flatMap(({ look, value }, i) => {
    const y = HEAD + i * ROW;
    const long = Number.isFinite(value) ? Math.max(1, Math.round((Math.max(0, value) / most) * (width - NUMBER) * 10) / 10) : 0;
    const says = Number.isFinite(value) ? label(value) : 'not measured';
    return [`<rect class="${look}" x="${x}" y="${y}" width="${long}" height="14" rx="2"/>`, text(x + long + 6, y + 11, 't', says)];
  });
}

const LIGHT = ['#fff', '#1f2328', '#59636e', '#0969da', '#8c959f', '#bc4c00'] as const;
const DARK = ['#0d1117', '#f0f6fc', '#9198a1', '#4493f8', '#656c76', '#f0883e'] as const;

function colours([ground, ink, pale, own, bare, other]: typeof LIGHT | typeof DARK): string {
  return `.bg{fill:${ground}}.h1,.h,.n{fill:${ink}}.h2,.t{fill:${pale}}.own{fill:${own}}.pale{fill:${bare}}.other{fill:${other}}`;
}

function style(): string {
  const font = 'system-ui,-apple-system,"Segoe UI",Helvetica,Arial,"DejaVu Sans",sans-serif';
  return `<style>
text{font:12px ${font}}.h1{font-size:16px;font-weight:600}.h{font-weight:600}.t{font-size:11px}.n{text-anchor:end}
${colours(LIGHT)}
@media (prefers-color-scheme:dark){
${colours(DARK)}
}
</style>`;
}

export function drawSidecars(report: SidecarReport): string {
  const { sidecars, date, cpuModel, cores } = report;
  const look = (name: string, isMeshed: boolean): Bar['look'] => (name === BARE ? 'pale' : isMeshed ? 'own' : 'other');
  const bars = (valueOf: (name: string) => number): Bar[] =>
    sidecars.rows.map(({ name, isMeshed }) => ({ name, look: look(name, isMeshed), value: valueOf(name) }));
  const added = bars((name) => (name === BARE ? 0 : addedUs(sidecars, name, BARE, ONE, 'p50Us')));
  const cpu = bars((name) => cpuPerCallUs(sidecars, name, ONE));
  const most = (all: readonly Bar[]): number => Math.max(1, ...all.map(({ value }) => (Number.isFinite(value) ? value : 0)));
  const height = HEAD + sidecars.rows.length * ROW + FOOT;
  const width = (WIDTH - PAD - NAMES - GAP) / 2;
  const [left, right] = [PAD + NAMES, PAD + NAMES + width + GAP / 2];
  const title = 'A call through inmesh, and through sidecars';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    style(),
    `<rect class="bg" width="${WIDTH}" height="${height}"/>`,
    text(PAD, 27, 'h1', title),
    text(PAD, 46, 'h2', `One call at a time over loopback, 1 KiB, the same handler of node:http behind all; shorter is better`),
    text(left, HEAD - 14, 'h', 'added to the median call, µs'),
    text(right, HEAD - 14, 'h', 'CPU of all processes per call, µs'),
    ...sidecars.rows.map(({ name }, i) => text(left - 10, HEAD + i * ROW + 11, 'n', name)),
    ...drawBars(added, left, width, most(added), (value) => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(0)}`),
    ...drawBars(cpu, right, width, most(cpu), (value) => value.toFixed(0)),
    text(PAD, height - 12, 't', `${date}, ${cores} cores, ${cpuModel}. One worker per proxy, no access log. npm run bench:sidecar`),
    '</svg>\n',
  ].join('\n');
}
