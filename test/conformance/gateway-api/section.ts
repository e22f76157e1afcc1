// The Gateway API's part of docs/conformance.md, from a run. Nothing of it depends on the machine or the day.
import { escapeCell, table } from '../../../.ci/lib/markdown.ts';
import type { CaseResult, SuiteResult } from './play.ts';
import type { Suite } from './suite.ts';

const MARK = 'gateway-api';

const count = (cases: readonly CaseResult[], outcome: CaseResult['outcome']): number =>
  cases.filter((one) => one.outcome === outcome).length;

/** Cases that apply to a client. */
export function played({ cases }: SuiteResult): readonly CaseResult[] {
  return cases.filter(({ needs }) => needs === undefined);
}

export function gatewayApiSection({ source, needs }: Suite, result: SuiteResult): string {
  const own = played(result);
  const passed = count(own, 'passed');
  const kinds = [...new Set(own.map(({ kind }) => kind))];
  const failed = own.filter(({ outcome }) => outcome === 'failed');
  return [
    '## Gateway API',
    `The request tables of the Gateway API's conformance suite (${source.repository.replace('https://github.com/', '')}, commit ${source.commit.slice(0, 7)}), played through a mesh over real sockets. Its manifests are loaded unchanged; each pod of theirs is a server on loopback, and EndpointSlices beside the manifests say where. North-south cases knock at the Gateway's name (\`name.namespace.gateway\`) with the host of the case, and once more at the host itself where a route names it. A case holds when it holds three times in a row. Shares, mirrored shares, certificates, HTTP/2, gRPC and a WebSocket are played as the suite does. gRPC cases of suite \`mesh\` are asked by a client on grpc-js, those of Gateways over undici, which sends a repeated header as one over HTTP/2, joined by \`, \` (the same by RFC 9110 §5.3; the suite compares the text).`,
    `**${passed} passed, ${failed.length} failed, ${count(result.cases, 'excluded')} not applicable**, of ${result.cases.length} (the WebSocket exchange counts as a case): ${((passed * 100) / own.length).toFixed(1)} % of those that apply to a client.`,
    table(
      ['Kind', 'Passed', 'Failed'],
      kinds.sort().map((kind) => {
        const ofKind = own.filter((one) => one.kind === kind);
        return [kind, String(count(ofKind, 'passed')), String(count(ofKind, 'failed'))];
      }),
    ),
    '### Failed',
    failed.length === 0
      ? 'None.'
      : table(
          ['Case', 'Why'],
          failed.map(({ test, index, name, reason }) => [`${test} ${index}: ${escapeCell(name)}`, escapeCell(reason)]),
        ),
    '### Not applicable',
    'What a caller without a Gateway cannot be asked. The reasons are those of the marks in the data.',
    table(['Mark', 'Cases', 'Tests', 'Why'], excludedRows(needs, result)),
    '### Conflicts',
    'What a controller settles by age and reports in a status is an error here, unless `lenient` is asked for. Loaded with `lenient`:',
    table(
      ['Test', 'Conflict'],
      result.lenient.map(({ test, reason }) => [test, escapeCell(reason)]),
    ),
  ].join('\n\n');
}

function excludedRows(needs: Suite['needs'], { cases }: SuiteResult): string[][] {
  return Object.entries(needs).flatMap(([mark, why]) => {
    const marked = cases.filter((one) => one.needs === mark);
    if (marked.length === 0) return [];
    const tests = [...new Set(marked.map(({ test }) => test))].map((test) => {
      const here = marked.filter((one) => one.test === test).length;
      return `${test} (${here})`;
    });
    return [[`\`${mark}\``, String(marked.length), tests.join(', '), escapeCell(why)]];
  });
}

/** The page with the section in its place; what others wrote stays. */
export function withGatewayApi(page: string, section: string): string {
  const [start, end] = [`<!-- generated: ${MARK} -->`, `<!-- end: ${MARK} -->`];
  const block = `${start}\n${section}\n${end}`;
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from >= 0 && to > from) return page.slice(0, from) + block + page.slice(to + end.length);
  return `${page === '' ? '' : `${page.trimEnd()}\n\n`}${block}\n`;
}
