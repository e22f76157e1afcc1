// The file that `endpointsFile` names: a list of endpoints in YAML or JSON, in the same form as `endpoints`. Made by
// machines, so no variables are put in; an empty list is a fault, so that a half-written file never empties a service.
import type { EndpointConfig } from '../model/destination.ts';
import type { EndpointInput } from '../model/input.ts';
import type { ConfigIssue } from '../model/issue.ts';
import { Report } from '../model/report.ts';
import { resolveEndpoints } from '../model/resolve-service.ts';
import { checkSchema } from '../model/schema-check.ts';
import { endpointsSchema } from '../model/schema.ts';
import type { DocumentParser } from './document.ts';
import { documentParser } from './document.ts';
import { formatIssues, framed } from './format.ts';
import { positionAt, sourceText } from './frame.ts';
import { offsetOf } from './located.ts';
import { toValue } from './value.ts';

export type EndpointsFile = { readonly endpoints: readonly EndpointConfig[] } | { readonly issues: readonly ConfigIssue[] };

/** Never rejects. */
export async function parseEndpointsFile(text: string, file: string): Promise<EndpointsFile> {
  return read(await documentParser(), text, file);
}

/** For a watcher, which reads again and again: throws an Error that names every fault and its place. */
export async function endpointsFileParser(): Promise<(text: string, file: string) => readonly EndpointConfig[]> {
  const parse = await documentParser();
  return (text, file) => {
    const result = read(parse, text, file);
    if ('issues' in result) throw new Error(formatIssues(result.issues));
    return result.endpoints;
  };
}

function read(parse: DocumentParser, text: string, file: string): EndpointsFile {
  const source = sourceText(file, text);
  const fail = (issues: readonly ConfigIssue[]): EndpointsFile => ({ issues: framed(issues, [source]) });
  const at = (offset: number, message: string): ConfigIssue => ({
    severity: 'error',
    path: [],
    message,
    position: positionAt(source, offset),
  });
  const { documents, issues } = parse(source);
  if (issues.length > 0) return fail(issues.map(({ offset, message }) => at(offset, message)));
  const [root, second] = documents;
  if (root === undefined) return fail([at(0, 'the file is empty; it must be a list of endpoints')]);
  if (second !== undefined) return fail([at(second.offset, 'more than one document; the file must be one list of endpoints')]);
  const report = new Report({ at: (path, part) => positionAt(source, offsetOf(root, path, part)) });
  // Without an environment every ${VAR} stays what it is; an address cannot hold one, so the schema complains.
  const value = toValue(root, {}, () => {});
  checkSchema(endpointsSchema, value, [], report);
  if (report.hasErrors) return fail(report.issues);
  const endpoints = resolveEndpoints(value as readonly (string | EndpointInput)[], [], report);
  return report.hasErrors ? fail(report.issues) : { endpoints };
}
