// SPIFFE IDs: what one is, to the letter of the standard, and patterns for those that are expected. Compares bytes; folds no
// case, decodes nothing. Source: SPIFFE-ID §2; Istio's `ns/NS/sa/SA`.

export interface SpiffeId {
  /** `spiffe://domain/path`, as it stood. */
  readonly text: string;
  readonly trustDomain: string;
  /** Of `/ns/NS/sa/SA`; '' when the path has another form. */
  readonly namespace: string;
  readonly serviceAccount: string;
}

const SCHEME = 'spiffe://';
const ID_BYTES_MAX = 2_048;
const DOMAIN_BYTES_MAX = 255;
const DOMAIN = /^[a-z0-9._-]+$/;
const SEGMENT = /^[A-Za-z0-9._-]+$/;

/** Istio's name for "our own trust domain and its aliases". */
export const LOCAL_DOMAIN = 'cluster.local';

/** Why a text is no trust domain, or null. */
export function trustDomainFault(name: string): string | null {
  if (name === '') return 'it has no trust domain';
  if (name.length > DOMAIN_BYTES_MAX) return `its trust domain is longer than ${DOMAIN_BYTES_MAX} bytes`;
  return DOMAIN.test(name) ? null : 'its trust domain may hold lower-case letters, digits, ".", "-" and "_" only';
}

/** The ID, or why the text is none: a clause that follows "because". */
export function parseSpiffeId(text: string): SpiffeId | string {
  if (!text.startsWith(SCHEME)) return `it does not begin with ${SCHEME}`;
  if (text.length > ID_BYTES_MAX) return `it is longer than ${ID_BYTES_MAX} bytes`;
  const slash = text.indexOf('/', SCHEME.length);
  const trustDomain = slash < 0 ? text.slice(SCHEME.length) : text.slice(SCHEME.length, slash);
  const fault = trustDomainFault(trustDomain);
  if (fault !== null) return fault;
  if (slash < 0) return 'it has no path';
  const segments = text.slice(slash + 1).split('/');
  const wrong = segments.find((segment) => !isSegment(segment));
  if (wrong !== undefined)
    return wrong === '' ? 'its path has an empty segment' : `its path has a segment that may not be (${show(wrong)})`;
  const isKubernetes = segments.length === 4 && segments[0] === 'ns' && segments[2] === 'sa';
  const [, namespace = '', , serviceAccount = ''] = isKubernetes ? segments : [];
  return { text, trustDomain, namespace, serviceAccount };
}

function isSegment(segment: string): boolean {
  return SEGMENT.test(segment) && segment !== '.' && segment !== '..';
}

/** A name from outside, fit for a log line. */
function show(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** The trust domain of this process, and what else it goes by. */
export interface LocalDomain {
  /** '' when the process has none. */
  readonly name: string;
  readonly aliases: readonly string[];
}

/** Whether two names mean the local trust domain; `cluster.local` does, when it is written in a rule. */
export function isLocalDomain(name: string, local: LocalDomain): boolean {
  return name !== '' && (name === local.name || local.aliases.includes(name));
}

/**
 * Whether IDs fit `spiffe://domain/a/<*>/b` (without the brackets), where `*` stands for one whole segment. The domain is exact; a local one, or
 * `cluster.local`, means every local one. Throws an Error when the text is no such pattern.
 */
export function spiffePattern(pattern: string, local: LocalDomain): (id: SpiffeId) => boolean {
  const parsed = parseSpiffeId(pattern.replaceAll(/(?<=[^/]\/)\*(?=\/|$)/g, 'x'));
  if (typeof parsed === 'string') throw new Error(`${JSON.stringify(pattern)} cannot be a SPIFFE ID or pattern, because ${parsed}`);
  const wanted = pattern.slice(SCHEME.length + parsed.trustDomain.length + 1).split('/');
  const isLocal = parsed.trustDomain === LOCAL_DOMAIN || isLocalDomain(parsed.trustDomain, local);
  return ({ text, trustDomain }) => {
    if (trustDomain !== parsed.trustDomain && !(isLocal && isLocalDomain(trustDomain, local))) return false;
    const segments = text.slice(SCHEME.length + trustDomain.length + 1).split('/');
    return segments.length === wanted.length && wanted.every((one, index) => one === '*' || one === segments[index]);
  };
}
