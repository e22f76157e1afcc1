// `inmesh check`: reads a configuration as a mesh would, looks at what comes of it, and at the files it names. One line for
// each finding, one for what to do about it. Opens no socket and asks no name server.
import type { MeshConfig } from '../model/config.ts';
import { loadRegex } from '../route/regex.ts';
import { analyze } from '../yaml/analyze/analyze.ts';
import { type LoadedConfig, type LoadOptions, loadConfig } from '../yaml/load.ts';
import { checkFiles } from './check-files.ts';
import { explainCode } from './check-code.ts';
import type { CheckFinding } from './check-finding.ts';
import { fineFindings, plural, resourceFindings, serviceFindings } from './check-groups.ts';
import { allIssues, analysisFindings, issueFindings } from './check-issues.ts';
import { type CheckResult, jsonText, shortText, summarize, tableText } from './check-text.ts';
import { type CommandInput, configPaths, UsageError } from './command.ts';

const FORMS = ['table', 'wide', 'short', 'json'] as const;
const LIMITS = ['error', 'warning', 'info'] as const;

interface CheckOptions {
  readonly lenient: boolean;
  readonly isWhole: boolean;
  readonly cwd: string;
}

export async function check({ positionals, values, terminal }: CommandInput): Promise<number> {
  if (typeof values.explain === 'string') {
    terminal.out(explainCode(values.explain));
    return 0;
  }
  const form = values.json === true ? 'json' : oneOf(values.output, FORMS, 'output');
  const limit = oneOf(values['fail-on'], LIMITS, 'fail-on', 'error');
  const paths = configPaths(positionals, terminal.env);
  const regex = await loadRegex();
  const { cwd, env } = terminal;
  const options: CheckOptions = { lenient: values.lenient === true, isWhole: values['whole-cluster'] === true, cwd };
  const result = await checkPaths(paths, options, { env, cwd, checkRegex: (pattern) => regex.check(pattern) });
  terminal.out(form === 'json' ? jsonText(result) : form === 'short' ? shortText(result) : tableText(result, form === 'wide'));
  const { errors, warnings, infos } = result.summary;
  return errors + (limit === 'error' ? 0 : warnings) + (limit === 'info' ? infos : 0) > 0 ? 1 : 0;
}

/** The first is the default. */
function oneOf<Word extends string>(value: unknown, words: readonly Word[], name: string, otherwise = words[0] as Word): Word {
  if (value === undefined) return otherwise;
  const found = words.find((word) => word === value);
  if (found === undefined) throw new UsageError(`--${name} is one of ${words.join(', ')}, not ${JSON.stringify(value)}`);
  return found;
}

async function checkPaths(paths: readonly string[], options: CheckOptions, load: LoadOptions): Promise<CheckResult> {
  const { lenient, isWhole, cwd } = options;
  const result = await loadConfig(paths, { ...load, lenient });
  const findings: CheckFinding[] = [];
  let config: MeshConfig | null = null;
  let hash: string | null = null;
  if ('issues' in result) {
    const rest = lenient ? null : await readAnyhow(paths, load);
    findings.push(...issueFindings(result.issues, { lenient, resources: rest?.resources ?? [] }));
    if (rest !== null) findings.push(...analysisOf(rest, { lenient, isWhole, cwd }));
  } else {
    ({ config, hash } = result);
    const { resources, warnings, files } = result;
    const message = `${paths.join(', ')} read: ${plural(files.length, 'file')}, hash ${hash}`;
    findings.push({ group: 'configuration', status: 'ok', message });
    findings.push(...resourceFindings(resources), ...issueFindings(allIssues(warnings, resources), { lenient, resources }));
    findings.push(...serviceFindings(Object.values(config.services), cwd));
    findings.push(...analysisOf(result, options));
    if (Object.keys(config.services).length > 0) findings.push(...fineFindings(findings));
    findings.push(...(await checkFiles(config, cwd)));
  }
  return { paths, config, hash, findings, summary: summarize(config, findings) };
}

function analysisOf({ config, resources, at }: LoadedConfig, { lenient, isWhole }: CheckOptions): CheckFinding[] {
  return analysisFindings(analyze(config, resources, { at, isWhole }), lenient);
}

/** What is settled by being lenient hides nothing else. null: it cannot be read at all. */
async function readAnyhow(paths: readonly string[], load: LoadOptions): Promise<LoadedConfig | null> {
  const result = await loadConfig(paths, { ...load, lenient: true });
  return 'issues' in result ? null : result;
}
