// `inmesh explain --inbound`: whom this process lets in, by the policies that are about it; and for one caller whether, and
// who decides it. By the engine of the servers, so that it cannot disagree with them. Nothing is asked of anybody.
import { type Access, compileAccess } from '../access/access.ts';
import type { AccessRequest, Decision } from '../access/request.ts';
import { type ExplainedPolicies, explainPolicies } from '../access/explain-policies.ts';
import type { PeerIdentity } from '../identity/peer-identity.ts';
import { type PeerDecision, peerModeOn } from '../access/policy-scope.ts';
import { inboundMatcher } from '../mesh/inbound-matcher.ts';
import type { MeshConfig } from '../model/config.ts';
import type { PeerMode, PolicyHead, SecurityPolicy } from '../model/security.ts';
import type { RegexCompiler } from '../route/regex.ts';

/** A call as it comes in. */
export interface InboundQuestion {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly authority: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `spiffe://domain/ns/a/sa/b`, with or without `spiffe://`; '' for a caller without a certificate. */
  readonly principal: string;
  readonly port: number;
  readonly address: string;
}

export interface InboundExplanation extends ExplainedPolicies {
  /** null: nobody in particular was asked about. */
  readonly decision: InboundDecision | null;
}

export interface InboundDecision extends Pick<Decision, 'allowed' | 'status' | 'reason' | 'condition'> {
  /** `refused`: there is no connection at all, so nobody answers. */
  readonly connection: 'accepted' | 'refused';
  /** Who decided. */
  readonly by: PolicyHead | null;
  /** From 1; 0 when no rule decided. */
  readonly rule: number;
  /** The external authorizer that a server asks first. */
  readonly asks: string | null;
}

export function explainInbound(config: MeshConfig, question: InboundQuestion | null, regex: RegexCompiler): InboundExplanation {
  const policies = config.inbound.policies ?? [];
  const explained = explainPolicies(policies, config.self);
  if (question === null) return { ...explained, decision: null };
  const decision = decided(config, policies, question, regex);
  return { ...explained, decision, text: `${decisionText(question, decision)}\n${explained.text}` };
}

function decided(
  { self, inbound }: MeshConfig,
  policies: readonly SecurityPolicy[],
  question: InboundQuestion,
  regex: RegexCompiler,
): InboundDecision {
  const refusal = refusedConnection(peerModeOn(question.port, policies, self), inbound.mtls, question);
  if (refusal !== null) return refusal;
  const access: Access = compileAccess(policies, self, { matcher: inboundMatcher(regex.compile) });
  const request = requestOf(question);
  const { allowed, status, reason, condition, policy, rule } = access.decide(request);
  return {
    connection: 'accepted',
    allowed,
    status,
    reason,
    condition,
    by: policy,
    rule: rule + 1,
    asks: access.custom(request)?.provider ?? null,
  };
}

/** A peer without a certificate where one is needed is refused before anybody reads what it asks for. */
function refusedConnection({ mode, policy }: PeerDecision, own: PeerMode, { principal }: InboundQuestion): InboundDecision | null {
  if ((policy === null ? own : mode) !== 'strict' || principal !== '') return null;
  return { connection: 'refused', allowed: false, status: 0, reason: null, condition: 'mtls', by: policy, rule: 0, asks: null };
}

function requestOf({ method, target, authority, headers, principal, port, address }: InboundQuestion): AccessRequest {
  return {
    peer: principal === '' ? null : peerOf(principal),
    isTls: principal !== '',
    method,
    target,
    authority,
    headers: Object.entries(headers).flat(),
    localAddress: '127.0.0.1',
    localPort: port,
    peerAddress: address,
    remoteAddress: address,
    sni: '',
    jwt: null,
  };
}

function peerOf(principal: string): PeerIdentity {
  const spiffeId = principal.startsWith('spiffe://') ? principal : `spiffe://${principal}`;
  const [, trustDomain = '', namespace = '', serviceAccount = ''] =
    /^spiffe:\/\/([^/]+)(?:\/ns\/([^/]+)\/sa\/([^/]+)$)?/.exec(spiffeId) ?? [];
  return { spiffeId, trustDomain, namespace, serviceAccount, dns: [], notAfterMs: Number.POSITIVE_INFINITY, fingerprint: '' };
}

function decisionText({ method, target, principal }: InboundQuestion, decision: InboundDecision): string {
  const { connection, allowed, status, reason, condition, by, rule, asks } = decision;
  const who = principal === '' ? 'somebody without a certificate' : principal;
  const place =
    by === null
      ? ''
      : `${by.namespace}/${by.name}${rule > 0 ? `, rule ${rule}` : ''} (${by.source.file}:${by.source.line}:${by.source.column})`;
  const lines = [`${method} ${target} by ${who}`];
  if (connection === 'refused') lines.push(`  no connection: ${place || 'inbound.mtls'} takes mutual TLS alone`);
  else if (allowed) lines.push('  let in');
  else
    lines.push(
      `  ${status}, ${REASONS[reason ?? ''] ?? reason}${place === '' ? '' : `: ${place}`}${condition === '' ? '' : `; ${condition}`}`,
    );
  if (asks !== null) lines.push(`  before that ${asks} is asked, who may refuse`);
  return `${lines.join('\n')}\n`;
}

const REASONS: Readonly<Record<string, string>> = Object.freeze({
  deny: 'a rule forbids it',
  'no-allow': 'what lets callers in does not take it',
  'no-route': 'the Server has no such route',
  'bad-host': 'nobody can say which host is meant',
  'bad-path': 'nobody can say which path is meant',
});
