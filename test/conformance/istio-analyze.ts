// Runs the cases of Istio's analyzer tests on Istio's documents, and writes what came of it as a section of
// docs/conformance.md. Knows no other conformance test of that page.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveConfig } from '../../src/model/resolve.ts';
import { runAnalyzers } from '../../src/yaml/analyze/analyze.ts';
import { documentParser } from '../../src/yaml/document.ts';
import { sourceText } from '../../src/yaml/frame.ts';
import { admitResource } from '../../src/yaml/kinds.ts';
import { isResource, readResource, type Resource } from '../../src/yaml/resource.ts';
import { ROOT } from '../house/tree.ts';
import { ANALYZE_CASES, type AnalyzeCase } from './istio-analyze-cases.ts';
import { EXCLUDED } from './istio-analyze-excluded.ts';

const FOLDER = join(ROOT, '../shared/conformance/istio/analyze');

export const hasDocuments: boolean = existsSync(FOLDER);

export interface CaseResult {
  readonly test: AnalyzeCase;
  readonly expected: readonly string[];
  readonly found: readonly string[];
  readonly isPassed: boolean;
}

async function documentsOf(files: readonly string[]): Promise<Resource[]> {
  const parse = await documentParser();
  let order = 0;
  return files.flatMap((name) => {
    const path = join(FOLDER, `${name}.yaml`);
    const source = sourceText(`${name}.yaml`, readFileSync(path, 'utf8'));
    return parse(source)
      .documents.filter(isResource)
      .map((root) => readResource({ source, path, root }, {}, order++));
  });
}

export async function runCase(test: AnalyzeCase): Promise<CaseResult> {
  const resources = await documentsOf(test.files);
  const base = resolveConfig({});
  if ('issues' in base) throw new Error('an empty configuration has faults');
  const nameOf = ({ kind, namespace, name }: Resource): string => `${kind} ${namespace}/${name}`;
  const found: string[] = [];
  if (test.analyzer === 'reader') {
    for (const resource of resources) {
      admitResource(resource, { lenient: true });
      for (const { code } of resource.report.issues) found.push(`${code} ${nameOf(resource)}`);
    }
  } else {
    for (const { code, resource } of runAnalyzers([test.analyzer], base.config, resources, { isWhole: true })) {
      if (resource !== undefined) found.push(`${code} ${nameOf(resource)}`);
    }
  }
  const counted = found.filter((one) => test.codes.some((code) => one.startsWith(code))).sort();
  const expected = [...test.expected].sort();
  return { test, expected, found: counted, isPassed: JSON.stringify(counted) === JSON.stringify(expected) };
}

export const SECTION = 'istio-analyze';

/** Between its markers. */
export function sectionOf(results: readonly CaseResult[]): string {
  const passed = results.filter(({ isPassed }) => isPassed);
  const failed = results.filter(({ isPassed }) => !isPassed);
  const excluded = EXCLUDED.reduce((sum, { cases }) => sum + Object.keys(cases).length, 0);
  const findings = passed.reduce((sum, { expected }) => sum + expected.length, 0);
  const apart = ANALYZE_CASES.flatMap(({ name, without }) => (without === undefined ? [] : [{ name, ...without }]));
  return [
    '## Istio: analyzers',
    "The documents of Istio's analyzer tests, looked at by `inmesh check`: the same codes on the same documents. The documents do not say what is expected of them; that is taken from the table of the tests themselves (istio/istio `pkg/config/analysis/analyzers/analyzers_test.go`, commit 86c9f01), case by case. A document without a namespace is in `default`. Messages and lines are our own.",
    `**${passed.length} passed, ${failed.length} failed, ${excluded} not applicable**, of ${results.length + excluded} cases. The passed ones hold ${findings} findings, and the absence of any other.`,
    table(
      ['Case', 'Documents', 'Codes', 'Findings', 'Result'],
      results.map(({ test, expected, isPassed }) => [
        escaped(test.name),
        test.files.map((file) => `\`${file}.yaml\``).join(' '),
        test.codes.join(' '),
        String(expected.length),
        isPassed ? 'passed' : '**failed**',
      ]),
    ),
    '### Failed',
    failed.length === 0 ? 'None.' : table(['Case', 'Expected', 'Found'], failed.map(failureRow)),
    '### Findings of these cases that are not ours',
    table(
      ['Case', 'Findings', 'Why'],
      apart.map(({ name, findings: of, why }) => [escaped(name), of.map((one) => `\`${one}\``).join('<br>'), why]),
    ),
    '### Not applicable',
    table(
      ['Why', 'Codes', 'Cases'],
      EXCLUDED.map(({ why, codes, cases }) => [why, codes.join(' '), Object.keys(cases).map(escaped).join('; ')]),
    ),
  ].join('\n\n');
}

function failureRow({ test, expected, found }: CaseResult): string[] {
  const only = (a: readonly string[], b: readonly string[]): string =>
    a.filter((one) => !b.includes(one)).join('<br>') || '(counts differ)';
  return [escaped(test.name), only(expected, found), only(found, expected)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('`', '');
}

/** The page with this section in it; all the rest stays. */
export function withSection(page: string, section: string): string {
  const [begin, end] = [`<!-- generated: ${SECTION} -->`, `<!-- end: ${SECTION} -->`];
  const block = `${begin}\n${section}\n${end}`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) return `${page.trimEnd()}\n\n${block}\n`.trimStart();
  return page.slice(0, from) + block + page.slice(to + end.length);
}
