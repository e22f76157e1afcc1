// CORS of a rule, as Istio's own validator sees it. Nobody on the caller's side can obey it: it is the server that answers
// a browser. Source: istio/istio pkg/config/validation, validateCORSPolicy.
import type { ConfigPath } from '../../model/issue.ts';
import { checkDuration, msOf } from './check-duration.ts';
import { checkRegexText, type RegexCheck } from './check-regex.ts';
import type { CorsSpec } from './virtual-service-spec.ts';

const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'HEAD', 'CONNECT', 'TRACE', '*']);
const NAME = /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/;

export function checkCors(cors: CorsSpec | undefined, path: ConfigPath, check: RegexCheck): void {
  if (cors === undefined) return;
  const { report } = check;
  report.warn(path, 'corsPolicy is kept and not obeyed: it is for the server that answers browsers, not for those who call it', {
    part: 'key',
    code: 'INM0020',
  });
  for (const [i, origin] of (cors.allowOrigins ?? []).entries()) {
    const at = [...path, 'allowOrigins', i];
    const value = origin.exact ?? origin.prefix ?? origin.regex ?? '';
    if (value === '') report.error(at, 'an allowed origin needs exact, prefix or regex, and a text');
    else if (origin.regex !== undefined) checkRegexText(origin.regex, [...at, 'regex'], check);
  }
  for (const [i, method] of (cors.allowMethods ?? []).entries()) {
    if (METHODS.has(method)) continue;
    const at = [...path, 'allowMethods', i];
    report.error(at, `${report.show(at, method)} is no HTTP method`);
  }
  for (const key of ['allowHeaders', 'exposeHeaders'] as const) {
    for (const [i, name] of (cors[key] ?? []).entries()) {
      if (NAME.test(name)) continue;
      const at = [...path, key, i];
      report.error(at, `${report.show(at, name)} is no header name`);
    }
  }
  const at = [...path, 'maxAge'];
  checkDuration(cors.maxAge, at, report);
  if (msOf(cors.maxAge) % 1_000 !== 0) report.error(at, 'maxAge is a whole number of seconds');
}
