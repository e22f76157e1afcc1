// Names as an API server takes them: hosts are made of them. Source: kubernetes/apimachinery util/validation.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import type { Resource } from '../resource.ts';

const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const NAME_LENGTH_MAX = 253;

/** One part of a host name: a namespace, a Service. Source: RFC 1123. */
export function checkLabel(name: string | undefined, path: ConfigPath, report: Report): void {
  if (name === undefined || LABEL.test(name)) return;
  report.error(path, `${report.show(path, name)} is no name here: at most 63 lower-case letters, digits and "-"`);
}

/** May have dots, and longer parts than a host name. */
export function checkObjectName(name: string | undefined, path: ConfigPath, report: Report): void {
  if (name === undefined || (name.length <= NAME_LENGTH_MAX && SUBDOMAIN.test(name))) return;
  report.error(path, `${report.show(path, name)} is no name of a resource: lower-case letters, digits, "-" and "."`);
}

/** Of the resource itself. */
export function checkMetadata({ name, namespace, report }: Resource): void {
  checkObjectName(name, ['metadata', 'name'], report);
  checkLabel(namespace, ['metadata', 'namespace'], report);
}

export function checkService(resource: Resource): void {
  const { name, namespace, report } = resource;
  checkLabel(name, ['metadata', 'name'], report);
  checkLabel(namespace, ['metadata', 'namespace'], report);
}
