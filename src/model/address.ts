// `host:port` and host names: what may be dialled and what may be named. No look-ups, no sockets.

export interface HostPort {
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const HOST_LENGTH_MAX = 253;

/** Whether the text is a DNS name or an IPv4 address; no port, no brackets, no wildcard. */
export function isHostName(text: string): boolean {
  if (text.length === 0 || text.length > HOST_LENGTH_MAX) return false;
  if (/^[0-9.]+$/.test(text)) return isIpv4(text);
  return text.split('.').every((label) => LABEL.test(label));
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
}

/** Source: RFC 4291 §2.2; no zone. */
export function isIpv6(text: string): boolean {
  if (text.length > 45 || !/^[0-9a-f:.]+$/i.test(text)) return false;
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  const hasIpv4 = tail.includes('.');
  if (hasIpv4 && !isIpv4(tail)) return false;
  const halves = (hasIpv4 ? `${text.slice(0, lastColon)}:0:0` : text).split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? groups.length <= 7 : groups.length === 8;
}

/** `host:port`, `1.2.3.4:port` or `[ipv6]:port`; null when it is none of them, or the port is not 1 to 65535. */
export function parseHostPort(text: string): HostPort | null {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  if (port < 1 || port > 65_535) return null;
  const ipv6 = match[1];
  if (ipv6 !== undefined) return isIpv6(ipv6) ? { host: ipv6.toLowerCase(), port } : null;
  const host = match[2] as string;
  return isHostName(host) ? { host: host.toLowerCase(), port } : null;
}
