// Retries of a rule, as Istio's own validator sees them. Source: istio/istio pkg/config/validation/agent, ValidateHTTPRetry.
import type { ConfigPath } from '../../model/issue.ts';
import { nearest } from '../../model/nearest.ts';
import type { Report } from '../../model/report.ts';
import { checkDuration } from './check-duration.ts';
import { isRetryStatus, RETRY_TOKENS } from './retry-tokens.ts';
import type { RetrySpec } from './virtual-service-spec.ts';

export function checkRetries(retries: RetrySpec | undefined, path: ConfigPath, report: Report): void {
  if (retries === undefined) return;
  const { attempts = 0, retryOn = '', perTryTimeout, retryRemoteLocalities, backoff } = retries;
  const more = { perTryTimeout, retryOn: retryOn === '' ? undefined : retryOn, retryRemoteLocalities };
  const [idle] = attempts === 0 ? Object.entries(more).flatMap(([key, value]) => (value === undefined ? [] : [key])) : [];
  if (idle !== undefined) {
    const message = `attempts is ${retries.attempts === undefined ? 'not given, and that means 0' : '0'}, which switches retries off, so ${idle} does nothing; set attempts, or remove ${idle}`;
    report.error([...path, idle], message, { part: 'key' });
  }
  checkDuration(perTryTimeout, [...path, 'perTryTimeout'], report);
  checkDuration(backoff, [...path, 'backoff'], report);
  if (retryOn === '') return;
  for (const token of retryOn.split(',')) {
    if (RETRY_TOKENS.includes(token) || isRetryStatus(token)) continue;
    const at = [...path, 'retryOn'];
    const trimmed = token.trim();
    const isBlank = trimmed !== token && (RETRY_TOKENS.includes(trimmed) || isRetryStatus(trimmed));
    const message = isBlank
      ? `${JSON.stringify(token)} in retryOn has a blank, which Istio refuses; write the words with commas alone`
      : `${report.isSecret(at) ? 'a word' : JSON.stringify(token)} in retryOn is no condition`;
    report.error(
      at,
      message,
      isBlank ? {} : { suggestion: report.isSecret(at) ? undefined : nearest(trimmed, RETRY_TOKENS), allowed: RETRY_TOKENS },
    );
  }
}
