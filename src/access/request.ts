// What a decision about a call is made of, and what it says. Plain data: the layer of HTTP servers makes it of a request,
// that of gRPC of a method and its metadata, the command line of its arguments.
import type { PeerIdentity } from '../identity/peer-identity.ts';
import type { Dialect } from '../model/route.ts';
import type { PolicyHead } from '../model/security.ts';

/** What a token that was verified says. */
export interface RequestIdentity {
  readonly issuer: string;
  /** '' when it names none. */
  readonly subject: string;
  readonly audiences: readonly string[];
  /** Claim `azp`; '' when there is none. */
  readonly presenter: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The beginning of a body, which the handler gets all the same. */
export interface PeekedBody {
  readonly bytes: Buffer;
  /** Whether there is no more of it. */
  readonly isWhole: boolean;
}

/** A body that may be looked at. Rejects when the caller goes before so much has come. */
export interface CallContent {
  peek(bytesMax: number): Promise<PeekedBody>;
}

export interface AccessRequest {
  /** null: plain text, or TLS without a certificate. */
  readonly peer: PeerIdentity | null;
  /** Whether the connection is TLS at all. */
  readonly isTls: boolean;
  readonly method: string;
  /** As it stands in the request line, or in `:path`. */
  readonly target: string;
  /** As it stands in Host, or in `:authority`. */
  readonly authority: string;
  /** Flat pairs: name, value, name, value; names in any case. */
  readonly headers: readonly string[];
  /** Of this end of the connection. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Of the other end of the connection. */
  readonly peerAddress: string;
  /** Of the first caller, behind proxies that are trusted; without such, that of the peer. */
  readonly remoteAddress: string;
  /** '' without TLS, or when the client named nobody. */
  readonly sni: string;
  /** null: no token. */
  readonly jwt: RequestIdentity | null;
  /** Absent where there is none to look at before the handler: gRPC, upgrades. */
  readonly content?: CallContent;
}

/**
 * Why a call was not let in. `deny`: a rule forbids it. `no-allow`: there are rules that let calls in, and none took it.
 * `no-route`: the Server has routes, and none is meant. `bad-host`, `bad-path`: nobody can say what is asked for.
 * `no-token`: the token is wrong, or missing where one is asked for. `refused`: the external authorizer said no. `unanswered`: it said nothing. `provider`: it is unknown, or not the only one. `function`: one of yours said no. `rate`: there were too many calls.
 */
export type DenyReason =
  | 'deny'
  | 'no-allow'
  | 'no-route'
  | 'bad-host'
  | 'bad-path'
  | 'no-token'
  | 'refused'
  | 'unanswered'
  | 'provider'
  | 'function'
  | 'rate';

/** Whose rate the call is too much for; null when it is not. Counts it. */
export type RateCheck = (request: AccessRequest) => { readonly policy: PolicyHead; readonly condition: string } | null;

/** What a policy that is only recorded would have done with the call. */
export interface ShadowResult {
  readonly policy: PolicyHead;
  readonly rule: number;
  /** `no-allow` stands for all such policies together, under the name of the first. */
  readonly result: 'allow' | 'deny' | 'no-allow';
}

export interface Decision {
  readonly allowed: boolean;
  /** What the caller is answered: 400, 403, 404, 429; 0 when it is let in. */
  readonly status: number;
  /** null when the call is let in. */
  readonly reason: DenyReason | null;
  /** Who decided. null: nobody did, because no policy says anything about it. */
  readonly policy: PolicyHead | null;
  /** Index of the rule that decided, -1 when none did. For `no-allow`: of the one that failed last. */
  readonly rule: number;
  /** What it asked for: for `deny` all that was met, for `no-allow` the first that was not. Names only, never values. */
  readonly condition: string;
  readonly dialect: Dialect;
  /** Of policies with dry run. */
  readonly shadow: readonly ShadowResult[];
  /** Policies with the action AUDIT that took the call. */
  readonly audited: readonly PolicyHead[];
}
