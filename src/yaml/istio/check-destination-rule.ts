// How the fields of a DestinationRule hang together, as Istio's own validator sees it. The form has been checked.
// Source: istio/istio pkg/config/validation, ValidateDestinationRule and what it calls.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import type { Resource } from '../resource.ts';
import { checkConnectionPool } from './check-connection-pool.ts';
import { checkDuration } from './check-duration.ts';
import { checkLoadBalancer } from './check-load-balancer.ts';
import { checkClientTls } from './check-client-tls.ts';
import type { DestinationRuleSpec, OutlierDetectionSpec, PortPolicySpec, TrafficPolicySpec } from './destination-rule-spec.ts';
import { isLabel, labelFault, wildcardNameFault } from './host-name.ts';
import { checkExportTo } from './visibility.ts';

export function checkDestinationRule(resource: Resource): void {
  const spec = resource.spec as unknown as DestinationRuleSpec;
  const { report } = resource;
  const fault = wildcardNameFault(spec.host);
  if (fault !== null) report.error(['spec', 'host'], `${report.show(['spec', 'host'], spec.host)} is no host: ${fault}`);
  checkTrafficPolicy(spec.trafficPolicy, ['spec', 'trafficPolicy'], report);
  const names = new Map<string, number>();
  for (const [i, { name, labels = {}, trafficPolicy }] of (spec.subsets ?? []).entries()) {
    const path: ConfigPath = ['spec', 'subsets', i];
    const before = names.get(name);
    if (before === undefined) names.set(name, i);
    else
      report.error(
        [...path, 'name'],
        `subset ${report.show([...path, 'name'], name)} stands twice, first at ${report.place(['spec', 'subsets', before])}`,
      );
    if (!isLabel(name)) report.error([...path, 'name'], `${report.show([...path, 'name'], name)} is no name of a subset`);
    const wrong = labelFault(labels);
    if (wrong !== null) report.error([...path, 'labels'], wrong);
    checkTrafficPolicy(trafficPolicy, [...path, 'trafficPolicy'], report);
  }
  checkExportTo(resource, spec.exportTo, { staysHome: spec.workloadSelector !== undefined });
}

const BLOCKS = ['outlierDetection', 'connectionPool', 'loadBalancer', 'tls'] as const;

function checkTrafficPolicy(policy: TrafficPolicySpec | undefined, path: ConfigPath, report: Report): void {
  if (policy === undefined) return;
  const { tunnel, proxyProtocol, portLevelSettings, retryBudget } = policy;
  const isEmpty = [...BLOCKS.map((block) => policy[block]), tunnel, proxyProtocol, portLevelSettings, retryBudget].every(
    (block) => block === undefined,
  );
  if (isEmpty) {
    report.error(path, 'a traffic policy needs at least one field');
    return;
  }
  if (tunnel !== undefined && proxyProtocol !== undefined) {
    report.error([...path, 'proxyProtocol'], 'this policy has both tunnel and proxyProtocol; keep one', { part: 'key' });
  }
  checkBlocks(policy, path, report);
  checkDuration(retryBudget?.budgetInterval, [...path, 'retryBudget', 'budgetInterval'], report);
  for (const [i, settings] of (portLevelSettings ?? []).entries()) {
    const at = [...path, 'portLevelSettings', i];
    if (settings.port?.number === undefined) report.error(at, 'settings of a port need port.number');
    if (BLOCKS.every((block) => settings[block] === undefined))
      report.error(at, `settings of a port need at least one of ${BLOCKS.join(', ')}`);
    checkBlocks(settings, at, report);
  }
}

function checkBlocks(policy: PortPolicySpec, path: ConfigPath, report: Report): void {
  const { outlierDetection, connectionPool, loadBalancer, tls } = policy;
  if (outlierDetection !== undefined) checkOutlierDetection(outlierDetection, [...path, 'outlierDetection'], report);
  if (connectionPool !== undefined) checkConnectionPool(connectionPool, [...path, 'connectionPool'], report);
  if (loadBalancer !== undefined) checkLoadBalancer(loadBalancer, outlierDetection !== undefined, [...path, 'loadBalancer'], report);
  if (tls !== undefined) checkClientTls(tls, [...path, 'tls'], report);
}

function checkOutlierDetection(outlier: OutlierDetectionSpec, path: ConfigPath, report: Report): void {
  checkDuration(outlier.baseEjectionTime, [...path, 'baseEjectionTime'], report);
  checkDuration(outlier.interval, [...path, 'interval'], report);
  if ((outlier.consecutiveErrors ?? 0) !== 0) {
    const message = 'consecutiveErrors is old and does nothing; write consecutiveGatewayErrors or consecutive5xxErrors';
    report.warn([...path, 'consecutiveErrors'], message, { part: 'key' });
  }
  if (outlier.splitExternalLocalOriginErrors !== true && (outlier.consecutiveLocalOriginFailures ?? 0) > 0) {
    const message = 'consecutiveLocalOriginFailures counts only with splitExternalLocalOriginErrors: true';
    report.error([...path, 'consecutiveLocalOriginFailures'], message, { part: 'key' });
  }
}
