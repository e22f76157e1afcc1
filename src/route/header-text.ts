// Values of headers that are put together for each call: text with Envoy's command operators. What an operator names and the
// call has not is empty. Must not know where the value goes. Source: Envoy, "HTTP header formatting".
import { hostname } from 'node:os';
import type { Call, Reply } from '../core/call.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { headerValue } from './header-value.ts';

/** `reply` is null on the way out. */
export type HeaderText = (call: Call, reply: Reply | null) => string;

const OPERATOR = /%(?:%|([A-Z][A-Z0-9_]*)(?:\(([^)]*)\))?(?::([0-9]+))?%)/g;

export function compileHeaderText(text: string, clock: Pick<Clock, 'now' | 'wall'> = systemClock): HeaderText {
  const parts: (string | HeaderText)[] = [];
  let end = 0;
  for (const match of text.matchAll(OPERATOR)) {
    const [whole, name, argument = '', most] = match;
    parts.push(text.slice(end, match.index), name === undefined ? '%' : limited(operator(name, argument, clock), most));
    end = match.index + whole.length;
  }
  parts.push(text.slice(end));
  const [first = '', only, last] = parts;
  if (parts.length === 1) return () => first as string;
  if (parts.length === 3 && first === '' && last === '' && typeof only === 'function') return only;
  return (call, reply) => parts.map((part) => (typeof part === 'string' ? part : part(call, reply))).join('');
}

function limited(value: HeaderText, most: string | undefined): HeaderText {
  if (most === undefined) return value;
  const length = Number(most);
  return (call, reply) => value(call, reply).slice(0, length);
}

const NOTHING: HeaderText = () => '';

function operator(name: string, argument: string, clock: Pick<Clock, 'now' | 'wall'>): HeaderText {
  switch (name) {
    case 'REQ':
      return requestHeader(argument);
    case 'RESP': {
      const header = argument.toLowerCase();
      return (_call, reply) => {
        const value = reply === null || !Object.hasOwn(reply.headers, header) ? undefined : reply.headers[header];
        return Array.isArray(value) ? value.join(',') : (value ?? '');
      };
    }
    case 'HOSTNAME': {
      const own = hostname();
      return () => own;
    }
    case 'START_TIME':
      return startTime(argument, clock);
    // What the application would speak to a proxy beside it.
    case 'PROTOCOL':
      return ({ carrier }) => (carrier === null ? 'HTTP/1.1' : 'HTTP/2');
    case 'UPSTREAM_REMOTE_ADDRESS':
      return ({ endpoint }) => endpoint?.address ?? '';
    default:
      return NOTHING;
  }
}

/** ISO 8601 in ms; `%s`: seconds since the epoch. Source: Envoy, access log START_TIME. */
function startTime(format: string, clock: Pick<Clock, 'now' | 'wall'>): HeaderText {
  const at = ({ startedAtMs }: Call): number => clock.wall() - (clock.now() - startedAtMs);
  if (format === '') return (call) => new Date(at(call)).toISOString();
  return format === '%s' ? (call) => String(Math.floor(at(call) / 1_000)) : NOTHING;
}

/** `name`, or `name?other` for when there is none. */
function requestHeader(argument: string): HeaderText {
  const [first = '', second] = argument.toLowerCase().split('?');
  const value = oneHeader(first);
  if (second === undefined) return value;
  const other = oneHeader(second);
  return (call, reply) => value(call, reply) || other(call, reply);
}

function oneHeader(name: string): HeaderText {
  switch (name) {
    case ':authority':
    case 'host':
      return ({ authority }) => authority;
    case ':method':
      return ({ method }) => method;
    case ':path':
      return ({ path }) => path;
    case ':scheme':
      return ({ scheme }) => scheme;
    default:
      return ({ headers }) => headerValue(headers, name) ?? '';
  }
}
