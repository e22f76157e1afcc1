// What came of the goldens of Istio's converter, as a section of docs/conformance.md.
import { escapeCell, table } from '../../.ci/lib/markdown.ts';
import type { GoldenResult } from './gateway-golden.ts';

const SECTION = 'istio-gateway-golden';

/** Faults that are meant to be. */
export const KNOWN: Readonly<Record<string, string>> = {
  'http-grpc-same-host.yaml istio-system/gateway my.domain.example':
    'one host of a listener is for HTTPRoutes or for GRPCRoutes, says the Gateway API, and so the older route has it; Istio takes both',
};

export function goldenSection(results: readonly GoldenResult[]): string {
  const asked = results.filter(({ excluded }) => excluded === null);
  const failed = asked.filter(({ fault }) => fault !== null);
  const excluded = results.filter((one) => one.excluded !== null);
  const calls = asked.reduce((sum, one) => sum + one.calls, 0);
  const whys = [...new Set(excluded.map((one) => one.excluded as string))].sort();
  return [
    '## Istio: HTTPRoutes as VirtualServices',
    "The goldens of Istio's own converter (`pilot/pkg/config/kube/gateway/testdata`): the manifest is read as it is, and so is the VirtualService that Istio makes of it; for each of its hosts both are asked what becomes of the same calls, made of all their matches. Compared are targets and their shares, path, host, headers, mirrors, redirects, timeouts and answers of the mesh itself. Backends that the converter knows exist on both sides. Then `inmesh export --to istio` writes the manifest, and what it wrote is asked the same.",
    `**${asked.length - failed.length} passed, ${failed.length} failed, ${excluded.length} not applicable**, of ${results.length} tables of rules; ${calls} calls. ${asked.filter(({ isWritten }) => isWritten).length} tables were written by inmesh as well.`,
    table(
      ['Manifest', 'Rules for', 'Calls', 'Result'],
      asked.map((one) => [one.file, `\`${one.of}\``, String(one.calls), one.fault === null ? 'passed' : '**failed**']),
    ),
    '### Failed VirtualServices',
    failed.length === 0
      ? 'None.'
      : table(
          ['Manifest', 'Rules for', 'Why'],
          failed.map((one) => [one.file, `\`${one.of}\``, escapeCell(KNOWN[`${one.file} ${one.of}`] ?? one.fault ?? '')]),
        ),
    '### Manifests that are not applicable',
    table(
      ['Why', 'Tables', 'Manifests'],
      whys.map((why) => {
        const own = excluded.filter((one) => one.excluded === why);
        return [escapeCell(why), String(own.length), [...new Set(own.map(({ file }) => file))].join(', ')];
      }),
    ),
  ].join('\n\n');
}

/** The page with the section in its place; what others wrote stays. */
export function withGoldens(page: string, section: string): string {
  const [start, end] = [`<!-- generated: ${SECTION} -->`, `<!-- end: ${SECTION} -->`];
  const block = `${start}\n${section}\n${end}`;
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from >= 0 && to > from) return page.slice(0, from) + block + page.slice(to + end.length);
  return `${page.trimEnd()}\n\n${block}\n`;
}
