// The host that a caller names, in the one form that policies compare: lower case, without the dot at its end, the port
// apart. What has another form is nobody's host: the answer is 400, before anything is compared.
import { isIPv6 } from 'node:net';

export interface HostName {
  readonly name: string;
  /** '' when none is named. */
  readonly port: string;
  /** `name:port`, or the name alone. */
  readonly full: string;
}

const NAME = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;
const PORT = /^[1-9]\d{0,4}$/;
/** Of a DNS name. */
const LENGTH_MAX = 253;

/** null: it is no host. */
export function hostNameOf(authority: string): HostName | null {
  const colon = authority.lastIndexOf(':');
  const hasPort = colon > authority.lastIndexOf(']');
  const port = hasPort ? authority.slice(colon + 1) : '';
  if (hasPort && !(PORT.test(port) && Number(port) <= 65_535)) return null;
  let name = (hasPort ? authority.slice(0, colon) : authority).toLowerCase();
  if (name.startsWith('[')) {
    if (!name.endsWith(']') || !isIPv6(name.slice(1, -1))) return null;
  } else {
    if (name.endsWith('.')) name = name.slice(0, -1);
    if (name.length > LENGTH_MAX || !NAME.test(name)) return null;
  }
  return { name, port, full: hasPort ? `${name}:${port}` : name };
}
