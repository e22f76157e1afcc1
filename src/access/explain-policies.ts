// Whom this process lets in, and why: the policies that are about it, each with its place. Nothing is enforced here.
import type { PolicyHead, SecurityPolicy } from '../model/security.ts';
import { type PeerDecision, peerModeOn, policiesFor, type Workload } from './policy-scope.ts';
import { policyText } from './policy-text.ts';

export interface ExplainedPolicy extends Pick<PolicyHead, 'dialect' | 'name' | 'namespace' | 'source'> {
  readonly kind: SecurityPolicy['kind'];
  /** What it is, then what it asks for. */
  readonly lines: readonly string[];
}

export interface ExplainedConnections {
  /** null: every port that is not named. */
  readonly port: number | null;
  readonly mode: PeerDecision['mode'];
  /** Who has said so, `namespace/name`; null: nobody has. */
  readonly by: string | null;
}

export interface ExplainedPolicies {
  /** Those about this process, in their order. */
  readonly policies: readonly ExplainedPolicy[];
  /** How many are about other workloads. */
  readonly others: number;
  /** Which connections are accepted. Empty: no policy says anything of it. */
  readonly connections: readonly ExplainedConnections[];
  /** All of it for a terminal. */
  readonly text: string;
}

export function explainPolicies(all: readonly SecurityPolicy[], self: Workload): ExplainedPolicies {
  const own = policiesFor(all, self);
  const policies = own.map((policy): ExplainedPolicy => {
    const { kind, dialect, name, namespace, source } = policy;
    return { kind, dialect, name, namespace, source, lines: policyText(policy) };
  });
  const explained = { policies, others: all.length - own.length, connections: connectionsOf(own, self) };
  return { ...explained, text: textOf(explained) };
}

function connectionsOf(policies: readonly SecurityPolicy[], self: Workload): ExplainedConnections[] {
  const peers = policies.filter((policy) => policy.kind === 'peer-authentication');
  if (peers.length === 0) return [];
  const ports = new Set(peers.flatMap((policy) => Object.keys(policy.ports).map(Number)));
  return [null, ...[...ports].sort((a, b) => a - b)].map((port) => {
    // No server has port 0, so what it gets is what every other port gets.
    const { mode, policy } = peerModeOn(port ?? 0, peers, self);
    return { port, mode, by: policy === null ? null : `${policy.namespace}/${policy.name}` };
  });
}

function textOf({ policies, others, connections }: Omit<ExplainedPolicies, 'text'>): string {
  const lines = connections.map(({ port, mode, by }) => {
    return `connections${port === null ? '' : ` on port ${port}`}: ${mode} (${by ?? 'nobody says it'})`;
  });
  for (const { namespace, name, source, dialect, lines: own } of policies) {
    lines.push(`${namespace}/${name} (${source.file}:${source.line}:${source.column}, ${dialect})`, ...own.map((line) => `  ${line}`));
  }
  if (policies.length === 0) lines.push('no policy is about this process');
  if (others > 0) lines.push(`policies about other workloads: ${others}`);
  return `${lines.join('\n')}\n`;
}
