// Values of headers in Envoy's notation: text, and command operators such as `%REQ(x-id)%`; `%%` is a percent sign.
// Source: Envoy, configuration/http/http_conn_man/headers; istio/istio pkg/config/validation/header_value_validator.go.

/** No control characters but tab. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that no header has.
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;
const OPERATOR = /%(?:%|([A-Z][A-Z0-9_]*)(?:\(([^)]*)\))?(?::[0-9]+)?%)/g;

/** What route/header-text.ts answers. */
const KNOWN: ReadonlySet<string> = new Set(['HOSTNAME', 'PROTOCOL', 'REQ', 'RESP', 'UPSTREAM_REMOTE_ADDRESS']);

/** Empty in Envoy, too: what an application speaks to its proxy is plain, and has no certificates. */
const EMPTY = /^DOWNSTREAM_(?:TLS_|PEER_|LOCAL_(?:URI_SAN|DNS_SAN|SUBJECT)$)/;

/** Formats that are answered. */
const TIMES: ReadonlySet<string> = new Set(['', '%s']);

export interface HeaderText {
  /** Without operators: as it is sent. With them: as it was written. */
  readonly value: string;
  /** Whether operators are to be put in. */
  readonly formatted: boolean;
}

/** Why it is no value, or null. */
export function headerTextFault(text: string): string | null {
  if (CONTROL.test(text)) return 'it holds a control character';
  const rest = text.replace(OPERATOR, '');
  return rest.includes('%') ? 'a percent sign is written %%, an operator %NAME% or %NAME(argument)%' : null;
}

/** Operators that nobody answers here. */
export function unknownOperators(text: string): string[] {
  return [...text.matchAll(OPERATOR)].flatMap(([, name, argument = '']) => {
    const isKnown = name === undefined || KNOWN.has(name) || EMPTY.test(name) || (name === 'START_TIME' && TIMES.has(argument));
    return isKnown ? [] : [name];
  });
}

export function readHeaderText(text: string): HeaderText {
  const formatted = [...text.matchAll(OPERATOR)].some(([, name]) => name !== undefined);
  return { value: formatted ? text : text.replaceAll('%%', '%'), formatted };
}
