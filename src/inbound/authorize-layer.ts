// Lets a call in, or answers it: 403 and what a sidecar would say. Reads from the connection who calls, never from a header.
// Thin: what decides is the check that it is given.
import { isIP } from 'node:net';
import type { Call, Reply } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import { answer } from '../core/made-reply.ts';
import type { Layer, Service } from '../core/service.ts';
import type { AccessCheck, Verdict } from '../access/check.ts';
import type { AccessRequest } from '../access/request.ts';
import { connectionOf } from './connection.ts';
import { editHead, NO_EDITS } from '../access/head-edit.ts';
import type { InboundCall } from './inbound-call.ts';
import { CallBody } from './peek-body.ts';
import type { TrustedCallers } from './trusted-callers.ts';

export interface AuthorizeDeps {
  readonly check: AccessCheck;
  readonly clock: Clock;
  /** Proxies whose x-forwarded-for is believed. */
  readonly trusted: TrustedCallers;
  /** A call was denied, or there is something to record of it. Must not throw. */
  readonly onVerdict: (verdict: Verdict, request: AccessRequest) => void;
}

export function authorizeLayer(deps: AuthorizeDeps): Layer {
  const { check } = deps;
  return (next) => (call) => {
    const request = accessRequestOf(call as InboundCall, deps.trusted);
    const verdict = check.check(request);
    return verdict instanceof Promise
      ? verdict.then((settled) => conclude(settled, request, call, next, deps))
      : conclude(verdict, request, call, next, deps);
  };
}

function conclude(
  verdict: Verdict,
  request: AccessRequest,
  call: Call,
  next: Service,
  { clock, onVerdict }: AuthorizeDeps,
): Promise<Reply> {
  const { decision, status, headers, body, edits, responseHeaders, note } = verdict;
  if (status !== 0) {
    onVerdict(verdict, request);
    const own: Record<string, string | string[]> = { 'content-type': 'text/plain' };
    for (const [name, value] of headers) own[name] = own[name] === undefined || name === 'content-type' ? value : [own[name], value].flat();
    return answer(call, clock.now(), { status, headers: own, body });
  }
  if (note !== '' || decision.shadow.length + decision.audited.length > 0) onVerdict(verdict, request);
  const inbound = call as InboundCall;
  if (edits !== NO_EDITS) {
    editHead(inbound.request, edits);
    call.path = edits.target ?? call.path;
  }
  for (const [name, value] of responseHeaders) inbound.response.appendHeader(name, value);
  return next(call);
}

/** What the policies look at. */
export function accessRequestOf(call: InboundCall, trusted: TrustedCallers): AccessRequest {
  const { request } = call;
  const { socket, headers } = request;
  const connection = connectionOf(socket);
  const peerAddress = socket.remoteAddress ?? '';
  const peer = connection?.peer ?? null;
  return {
    peer,
    isTls: connection?.isTls ?? 'encrypted' in socket,
    method: call.method,
    target: call.path,
    authority: authorityOf(call),
    headers: call.headers,
    localAddress: socket.localAddress ?? '',
    localPort: socket.localPort ?? 0,
    peerAddress,
    remoteAddress: trusted.has(peer, peerAddress) ? firstCaller(headers['x-forwarded-for'], peerAddress, trusted) : peerAddress,
    sni: connection?.serverName ?? '',
    jwt: null,
    ...(call.carrier === null && call.release === null ? { content: new CallBody(call) } : {}),
  };
}

/** Two of them are none: nobody can say which one the handler takes. */
function authorityOf({ headers }: InboundCall): string {
  let found: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name !== ':authority' && (name.length !== 4 || name.toLowerCase() !== 'host')) continue;
    const value = headers[i + 1] as string;
    if (found !== null && found !== value) return '';
    found = value;
  }
  return found ?? '';
}

/** From the right: each proxy says who called it, as long as it is trusted. */
function firstCaller(forwarded: string | string[] | undefined, peerAddress: string, trusted: TrustedCallers): string {
  let caller = peerAddress;
  for (const one of [forwarded ?? []].flat().join(',').split(',').reverse()) {
    const address = one.trim();
    if (isIP(address) === 0) return caller;
    caller = address;
    if (!trusted.has(null, address)) return caller;
  }
  return caller;
}
