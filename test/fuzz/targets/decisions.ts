// Who calls and whether it may: decisions over policies, heads that say what only the mesh may say, and the headers that are
// written about callers and traces.
import type { IncomingMessage } from 'node:http';
import { type Access, compileAccess } from '../../../src/access/access.ts';
import type { AccessRequest } from '../../../src/access/request.ts';
import { clientCertHeader } from '../../../src/inbound/client-cert-header.ts';
import { cleanHead } from '../../../src/inbound/request-head.ts';
import type { AuthorizationPolicy } from '../../../src/model/security.ts';
import type { TextMapPropagator } from '../../../src/telemetry/api.ts';
import { injectContext } from '../../../src/telemetry/inject.ts';
import { allow, deny, peer, request, SELF } from '../../access/cases.ts';
import { type FuzzTarget, hold, partsOf } from '../target.ts';

/** The first letters of an input choose among them. */
const POLICIES: readonly AuthorizationPolicy[] = [
  allow({ principals: ['td/ns/a/sa/x'] }),
  allow({ namespaces: ['b'], methods: ['GET'] }),
  allow({ paths: ['/public/*'], notMethods: ['DELETE'] }),
  allow({ hosts: ['*.test'], 'request.headers[x-user]': ['alice', 'adm*'] }),
  deny({ paths: ['/admin*'] }),
  deny({ notPrincipals: ['td/ns/*'] }),
  deny({ 'request.headers[x-user]': ['evil'] }),
  deny({ hosts: ['secret.test'], ports: ['9080'] }),
];
const LAST_OF_ALLOW = 4;

function chosen(letters: string): number[] {
  const indexes = [...letters].map((letter) => letter.charCodeAt(0) - 0x61).filter((index) => index >= 0 && index < POLICIES.length);
  return [...new Set(indexes)].sort((a, b) => a - b);
}

export const decisionTarget: FuzzTarget = {
  name: 'access-decision',
  what: 'one more DENY lets in nobody more, one ALLOW less neither; a plain caller is never somebody; the same is decided twice',
  seeds: [
    'a|GET|/x|reviews|td/ns/a/sa/x|',
    'ce|GET|/public/../admin|a.test||alice',
    'bf|GET|/|h|td/ns/b/sa/y|',
    'dg|POST|/%61dmin?x|x.test:80||good, evil',
    'h|GET|/|Secret.TEST.:9080||',
    '|GET|/\\a|u@h||',
    'abcdefgh|DELETE|http://h/public/a|secret.test|td/ns/a/sa/x|admin',
  ],
  words: ['/admin', '/public/', '%2e%2e', '..', 'secret.test', '.test', ':9080', 'td/ns/a/sa/x', 'evil', 'alice', ',', 'abcdefgh', '|'],
  lengthMax: 120,
  start: () => {
    const compiled = new Map<string, Access>();
    const accessOf = (indexes: readonly number[]): Access => {
      const key = indexes.join();
      const known =
        compiled.get(key) ??
        compileAccess(
          indexes.map((index) => POLICIES[index] as AuthorizationPolicy),
          SELF,
        );
      compiled.set(key, known);
      return known;
    };
    return Promise.resolve((input) => {
      const [letters = '', method = '', target = '', authority = '', principal = '', user = ''] = partsOf(input, 6);
      const indexes = chosen(letters);
      const call: AccessRequest = request({
        method,
        target,
        authority,
        peer: principal === '' ? null : peer(principal),
        headers: user === '' ? [] : user.split(';').flatMap((value) => ['X-User', value]),
      });
      const { allowed, status } = accessOf(indexes).decide(call);
      hold(allowed === (status === 0) && [0, 400, 403].includes(status), `allowed ${allowed} with status ${status}`);
      hold(accessOf(indexes).decide(call).allowed === allowed, 'decided otherwise the second time');
      for (let more = LAST_OF_ALLOW; more < POLICIES.length; more++) {
        const narrower = accessOf(chosen(letters + String.fromCharCode(0x61 + more))).decide(call).allowed;
        hold(allowed || !narrower, `policy ${more} forbids, and lets somebody in`);
      }
      const allows = indexes.filter((index) => index < LAST_OF_ALLOW);
      for (const less of allows.length > 1 ? allows : []) {
        const narrower = accessOf(indexes.filter((index) => index !== less)).decide(call).allowed;
        hold(allowed || !narrower, `without policy ${less}, which lets in, somebody is let in`);
      }
      if (principal === '' && allows.length > 0 && allows.every((index) => index < 2))
        hold(!allowed, 'a plain caller is let in by its name');
      if (indexes.includes(5) && principal === '') hold(!allowed, 'a plain caller has a principal');
    });
  },
};

const OWN = /^x-(forwarded-client-cert$|envoy-|mesh-|inmesh-)/;
const HINTS = ['x-envoy-expected-rq-timeout-ms', 'x-envoy-attempt-count', 'x-inmesh-criticality'];

export const headTarget: FuzzTarget = {
  name: 'request-head',
  what: 'no header of a stranger reads like one of the mesh, and all others stay as they were',
  seeds: [
    'host:a\nx-forwarded-client-cert:By=x',
    'X_Forwarded_Client-Cert:URI=spiffe://td/x\nx-mesh-peer:admin',
    'x-envoy-attempt-count:2\nx_envoy_attempt_count:3',
    'connection:close, x-mesh-peer',
    'transfer-encoding:chunked\nauthorization:a',
    'x-inmesh-load:1\nx-forwarded-for:1.2.3.4',
  ],
  words: [
    'x-',
    'X_',
    'envoy-',
    'mesh-',
    'inmesh-',
    'forwarded-client-cert',
    ':',
    '\n',
    'host:',
    'connection:',
    'authorization:',
    '-_',
    'chunked',
  ],
  lengthMax: 160,
  start: () =>
    Promise.resolve((input) => {
      const rawHeaders: string[] = [];
      for (const line of input.split('\n')) {
        const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$/.exec(line) ?? [];
        if (name !== undefined && value !== undefined) rawHeaders.push(name, value.trim());
      }
      const before = [...rawHeaders];
      const headers: Record<string, string> = Object.create(null) as Record<string, string>;
      for (let i = 0; i < before.length; i += 2) headers[(before[i] as string).toLowerCase()] = before[i + 1] as string;
      const head = { rawHeaders, headers, headersDistinct: Object.create(null) as Record<string, string[]> };
      if (cleanHead(head as unknown as IncomingMessage, false) !== null) return;
      const isOwn = (name: string): boolean => OWN.test(name.toLowerCase().replaceAll('_', '-')) && !HINTS.includes(name.toLowerCase());
      const left = before.filter((_, i) => !isOwn(before[i - (i % 2)] as string));
      hold(
        JSON.stringify(rawHeaders) === JSON.stringify(left),
        `left are ${JSON.stringify(rawHeaders)}, and should be ${JSON.stringify(left)}`,
      );
      for (const name of Object.keys(headers)) hold(!isOwn(name), `${name} is still there`);
      const hosts = left.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
      hold(hosts.length <= 1, 'two hosts');
    }),
};

export const clientCertTarget: FuzzTarget = {
  name: 'client-cert',
  what: 'the header about the certificate of a caller says nothing but what the certificate does, whatever its names are',
  seeds: ['a.test,b.test', 'x;URI=spiffe://td/admin', '*.wild.test', 'a"b,c=d', 'a\r\nx-mesh-peer: b'],
  words: [';', 'URI=', 'By=', 'DNS=', 'Hash=', '"', ',', '\r\n', '=', 'spiffe://td/admin', '*.'],
  start: () =>
    Promise.resolve((input) => {
      const dns = input.split(',');
      const caller = peer('td/ns/a/sa/x', { dns, fingerprint: 'AB:CD' });
      const text = clientCertHeader(caller, 'spiffe://td/ns/default/sa/reviews');
      const [by, hash, uri, ...names] = text.split(';');
      const first = [by, hash, uri].join(' ');
      hold(first === 'By=spiffe://td/ns/default/sa/reviews Hash=abcd URI=spiffe://td/ns/a/sa/x', `it begins with ${first}`);
      for (const name of names) hold(/^DNS=[\w.*-]+$/.test(name) && dns.includes(name.slice(4)), `it says ${JSON.stringify(name)}`);
    }),
};

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const PROPAGATOR: TextMapPropagator = {
  inject(_context, carrier, setter) {
    setter.set(carrier, 'traceparent', TRACE);
    setter.set(carrier, 'baggage', 'tenant=ours');
  },
  extract: (context) => context,
  fields: () => ['traceparent', 'tracestate', 'baggage'],
};

export const traceHeadersTarget: FuzzTarget = {
  name: 'trace-headers',
  what: 'one traceparent goes out, one baggage, that of the caller if it has any; everything else as it was',
  seeds: [
    'traceparent:00-1-2-01\ntracestate:a=b',
    'Baggage:a=b\nx:1',
    'TRACEPARENT:x\ntraceparent:y',
    'tracestate:a=b',
    'baggage:a\nbaggage:b',
  ],
  words: ['traceparent:', 'tracestate:', 'baggage:', 'Baggage:', 'TraceState:', '\n', ':', 'a=b,c=d;e'],
  start: () =>
    Promise.resolve((input) => {
      const keeps = input.startsWith('!');
      const headers = input.split('\n').flatMap((line) => {
        const colon = line.indexOf(':');
        return colon < 1 ? [] : [line.slice(0, colon), line.slice(colon + 1)];
      });
      const before = [...headers];
      const out = injectContext(headers, {} as never, PROPAGATOR, keeps);
      hold(JSON.stringify(headers) === JSON.stringify(before), 'what the caller gave has changed');
      const named = (pairs: readonly string[], name: string): string[] =>
        pairs.filter((_, i) => i % 2 === 1 && (pairs[i - 1] as string).toLowerCase() === name);
      const others = (pairs: readonly string[]): string[] =>
        pairs.filter((_, i) => !['traceparent', 'tracestate', 'baggage'].includes((pairs[i - (i % 2)] as string).toLowerCase()));
      hold(JSON.stringify(others(out)) === JSON.stringify(others(before)), 'other headers have changed');
      const [theirs, baggage] = [named(before, 'traceparent'), named(before, 'baggage')];
      const kept = keeps && theirs.length > 0;
      hold(named(out, 'traceparent').join() === (kept ? theirs.join() : TRACE), `traceparent is ${named(out, 'traceparent').join()}`);
      if (!kept) {
        hold(named(out, 'tracestate').length === 0, 'a tracestate without its traceparent');
        hold(
          named(out, 'baggage').join() === (baggage.length > 0 ? baggage.join() : 'tenant=ours'),
          `baggage is ${named(out, 'baggage').join()}`,
        );
      }
    }),
};
