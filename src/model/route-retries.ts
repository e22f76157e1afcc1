// What holds for the attempts of a rule's calls: the retries of the rule, else of the service, with the time that the rule
// gives to one attempt.
import type { RouteConfig, ServiceConfig } from './config.ts';
import type { RetryPolicy } from './destination.ts';

export function routeRetries(
  { retries, perTryTimeoutMs }: Pick<RouteConfig, 'retries' | 'perTryTimeoutMs'>,
  service: Pick<ServiceConfig, 'retries'>,
): RetryPolicy {
  const policy = retries ?? service.retries;
  return perTryTimeoutMs === undefined ? policy : { ...policy, perTryTimeoutMs };
}
