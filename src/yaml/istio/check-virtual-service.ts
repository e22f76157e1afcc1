// How the fields of a VirtualService hang together, as Istio's own validator sees it. The form has been checked.
// Source: istio/istio pkg/config/validation, ValidateVirtualService.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import type { CheckContext } from '../dialect.ts';
import type { Resource } from '../resource.ts';
import { checkGateways } from './check-gateways.ts';
import { isClaim } from './check-http-match.ts';
import { checkHttpRoute } from './check-http-route.ts';
import { checkReach } from './check-reach.ts';
import { isAddress, overlap, wildcardNameFault } from './host-name.ts';
import { isForMesh, type HttpMatchSpec, MESH_GATEWAY, type VirtualServiceSpec } from './virtual-service-spec.ts';
import { checkExportTo } from './visibility.ts';

export function checkVirtualService(resource: Resource, context: CheckContext): void {
  const spec = resource.spec as VirtualServiceSpec;
  const { report } = resource;
  const { hosts = [], gateways = [], http = [], tls = [], tcp = [] } = spec;
  const isDelegate = hosts.length === 0;
  if (isDelegate) checkDelegate(spec, report);
  checkGateways(gateways, ['spec', 'gateways'], report);
  checkHosts(hosts, isForMesh(spec), report);
  if (http.length + tls.length + tcp.length === 0) report.error(['spec'], 'a VirtualService needs http, tls or tcp', { part: 'key' });
  for (const [i, route] of http.entries()) {
    const path: ConfigPath = ['spec', 'http', i];
    checkHttpRoute(route, path, { report, isDelegate, checkRegex: context.checkRegex });
    if (isForMesh(spec)) for (const [j, match] of (route.match ?? []).entries()) checkClaims(match, [...path, 'match', j], report);
  }
  checkExportTo(resource, spec.exportTo);
  checkReach(http, report);
  if (isForMesh(spec)) checkOtherProtocols(spec, report);
}

/** Whatever the delegate cannot say is said by the one that delegates. */
function checkDelegate(spec: VirtualServiceSpec, report: Report): void {
  for (const key of ['gateways', 'tls', 'tcp'] as const) {
    if ((spec[key] ?? []).length === 0) continue;
    report.error(['spec', key], `a VirtualService without hosts is a delegate, and a delegate has no ${key}`, { part: 'key' });
  }
}

function checkHosts(hosts: readonly string[], isMesh: boolean, report: Report): void {
  let areValid = true;
  for (const [i, host] of hosts.entries()) {
    const path: ConfigPath = ['spec', 'hosts', i];
    const fault = isAddress(host) ? null : wildcardNameFault(host);
    if (fault !== null) report.error(path, `${report.show(path, host)} is no host: ${fault}`);
    else if (isMesh && host === '*')
      report.error(path, `host * is for gateways; for the gateway "${MESH_GATEWAY}" name a host, or *.suffix`);
    else continue;
    areValid = false;
  }
  if (!areValid) return;
  for (const [i, host] of hosts.entries()) {
    const before = hosts.slice(0, i).find((one) => overlap(one, host));
    if (before === undefined) continue;
    const path: ConfigPath = ['spec', 'hosts', i];
    report.error(path, `host ${report.show(path, host)} is meant by ${JSON.stringify(before)} already; keep one`);
  }
}

/** Only a gateway looks into tokens on the way. */
function checkClaims({ headers = {}, withoutHeaders = {} }: HttpMatchSpec, path: ConfigPath, report: Report): void {
  for (const [key, names] of Object.entries({ headers, withoutHeaders })) {
    for (const name of Object.keys(names)) {
      if (!isClaim(name)) continue;
      report.error([...path, key, name], `${report.show([], name)} is for gateways only: nobody looks into tokens on the way out`, {
        part: 'key',
      });
    }
  }
}

/** What is no HTTP does not pass through inmesh; with SNI routes that are left out, HTTPS calls would go another way. */
function checkOtherProtocols({ tls = [], tcp = [] }: VirtualServiceSpec, report: Report): void {
  const code = 'INM0011';
  if (tcp.length > 0) report.warn(['spec', 'tcp'], 'tcp: connections that are no HTTP do not pass through inmesh', { part: 'key', code });
  if (tls.length === 0) return;
  const message = 'tls: inmesh routes calls before they are encrypted, so by http rules and never by SNI; write http rules for these hosts';
  report.warn(['spec', 'tls'], message, { part: 'key', code });
}
