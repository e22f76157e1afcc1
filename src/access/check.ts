// The whole way of a call past the policies: its tokens, the external authorizer, the rules, your function, the rates; in this order,
// and the first no ends it. Whatever fails on the way is a no. Servers of HTTP and of gRPC ask it with the same question.
import type { AuthorizationPolicy } from '../model/security.ts';
import { type Access, denied } from './access.ts';
import type { AccessRequest, Decision, RateCheck } from './request.ts';
import { type HeadEdits, NO_EDITS } from './head-edit.ts';

/** Your own policy: true lets the call in, a text is the reason why not, and is written to the log. Throwing is a no. */
export type AccessFunction = (request: AccessRequest) => boolean | string | Promise<boolean | string>;

/** What the tokens of a call say. */
export interface TokenResult {
  /** Why the call is answered 401; '' when it is not. For the caller to read. */
  readonly fault: string;
  readonly jwt: AccessRequest['jwt'];
  readonly edits: HeadEdits;
}

export interface TokenCheck {
  /** null: no token, and nothing to change. */
  check(request: AccessRequest): TokenResult | null | Promise<TokenResult>;
}

type Pairs = readonly (readonly [name: string, value: string])[];

/** What an external authorizer says. `error`: nothing that could be used. */
export type AuthorizerAnswer =
  | { readonly kind: 'allow'; readonly edits: HeadEdits; readonly responseHeaders: Pairs }
  | { readonly kind: 'deny'; readonly status: number; readonly headers: Pairs; readonly body: string }
  | { readonly kind: 'error'; readonly message: string };

export interface Authorizer {
  /** Whether calls are let in while it cannot be asked. */
  readonly failOpen: boolean;
  /** What callers get while it cannot be asked. */
  readonly statusOnError: number;
  /** Never rejects. */
  check(request: AccessRequest): Promise<AuthorizerAnswer>;
}

export interface AccessParts {
  readonly access: Access;
  /** null: nobody looks at tokens. */
  readonly tokens: TokenCheck | null;
  /** By the name that policies give as provider. */
  readonly authorizers: ReadonlyMap<string, Authorizer>;
  readonly functions: readonly AccessFunction[];
  /** null: however many there are. @default null */
  readonly rates?: RateCheck | null;
}

export interface Verdict {
  readonly decision: Decision;
  /** Of a refusal: what the caller gets. */
  readonly status: number;
  readonly headers: Pairs;
  readonly body: string;
  /** Of a call that is let in. */
  readonly edits: HeadEdits;
  readonly responseHeaders: Pairs;
  /** What its token says. */
  readonly jwt: AccessRequest['jwt'];
  /** For the log: what an authorizer or a function said; '' when nothing. */
  readonly note: string;
}

/** What a sidecar says. */
const DENIED = 'RBAC: access denied';
const BODIES: Readonly<Record<number, string>> = Object.freeze({ 400: 'Bad Request', 404: 'Not Found', 429: 'rate limit exceeded' });
const NOTHING: readonly [] = Object.freeze([]);

const PASSED = Object.freeze({
  status: 0,
  headers: NOTHING,
  body: '',
  edits: NO_EDITS,
  responseHeaders: NOTHING,
  jwt: null,
  note: '',
});

export class AccessCheck {
  readonly #parts: AccessParts;
  /** One object for every call that is let in without more ado. */
  #letIn: Verdict | null = null;

  constructor(parts: AccessParts) {
    this.#parts = parts;
  }

  /** Whether nothing can come of asking. */
  get isOpen(): boolean {
    const { access, tokens, functions, rates = null } = this.#parts;
    return access.isOpen && tokens === null && functions.length === 0 && rates === null;
  }

  check(request: AccessRequest): Verdict | Promise<Verdict> {
    const { tokens, access, functions } = this.#parts;
    const told = tokens === null ? null : tokens.check(request);
    if (told === null && functions.length === 0 && access.custom(request) === null) return this.#counted(this.#byRules(request), request);
    return this.#slowly(request, told);
  }

  #byRules(request: AccessRequest): Verdict {
    const decision = this.#parts.access.decide(request);
    if (!decision.allowed) return refused(decision);
    if (this.#letIn?.decision !== decision) this.#letIn = { ...PASSED, decision };
    return this.#letIn;
  }

  /** Last, because what is denied takes nothing from those who may. */
  #counted(verdict: Verdict, request: AccessRequest): Verdict {
    const { rates = null } = this.#parts;
    const spent = rates === null || verdict.status !== 0 ? null : rates(request);
    return spent === null ? verdict : refused(denied('rate', { ...spent, dialect: spent.policy.dialect }));
  }

  async #slowly(asked: AccessRequest, told: TokenResult | null | Promise<TokenResult>): Promise<Verdict> {
    const token = await told;
    if (token !== null && token.fault !== '') return withoutToken(token.fault);
    const jwt = token?.jwt ?? null;
    const request = jwt === null ? asked : { ...asked, jwt };
    const asking = await this.#custom(request);
    if (asking !== null && asking.status !== 0) return asking;
    const verdict = this.#byRules(request);
    if (verdict.status !== 0) return verdict;
    const note = await firstNo(this.#parts.functions, request);
    if (note !== null) return { ...refused(denied('function', { condition: 'function' })), note };
    const edits = joined(token?.edits ?? NO_EDITS, asking?.edits ?? NO_EDITS);
    return this.#counted(
      { ...verdict, edits, jwt, responseHeaders: asking?.responseHeaders ?? NOTHING, note: asking?.note ?? '' },
      request,
    );
  }

  /** null: nobody has to be asked. */
  async #custom(request: AccessRequest): Promise<Verdict | null> {
    const { access, authorizers } = this.#parts;
    const ask = access.custom(request);
    if (ask === null) return null;
    const { policy, rule, provider } = ask;
    const authorizer = provider === null ? undefined : authorizers.get(provider);
    const by = { policy, rule, dialect: policy.dialect, condition: 'provider' };
    if (authorizer === undefined) return refused(denied('provider', by));
    const answer = await authorizer.check(request);
    const decision = denied(answer.kind === 'error' ? 'unanswered' : 'refused', by);
    switch (answer.kind) {
      case 'allow':
        return { ...PASSED, decision, edits: answer.edits, responseHeaders: answer.responseHeaders };
      case 'deny':
        return { ...PASSED, decision, status: answer.status, headers: answer.headers, body: answer.body };
      case 'error':
        if (authorizer.failOpen) return { ...PASSED, decision, note: answer.message };
        return { ...refused(decision), status: authorizer.statusOnError, note: answer.message };
    }
  }
}

function refused(decision: Decision): Verdict {
  const { status } = decision;
  return { ...PASSED, decision, status, body: BODIES[status] ?? DENIED };
}

function withoutToken(fault: string): Verdict {
  const decision = { ...denied('no-token', { condition: fault }), status: 401 };
  return { ...PASSED, decision, status: 401, headers: [['www-authenticate', 'Bearer error="invalid_token"']], body: fault };
}

/** Why one of them says no; null when none does. */
async function firstNo(functions: readonly AccessFunction[], request: AccessRequest): Promise<string | null> {
  for (const ask of functions) {
    try {
      const answer = await ask(request);
      if (answer !== true) return typeof answer === 'string' ? answer : 'it said no';
    } catch (error) {
      return `it failed: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return null;
}

function joined(first: HeadEdits, second: HeadEdits): HeadEdits {
  if (first === NO_EDITS) return second;
  if (second === NO_EDITS) return first;
  return {
    remove: [...first.remove, ...second.remove],
    set: [...first.set.filter(([name]) => !second.remove.includes(name) && !second.set.some(([other]) => other === name)), ...second.set],
    append: [...first.append, ...second.append],
    target: second.target ?? first.target,
  };
}

/** For the log and the event: who, which policy, which rule, what was not met. Never a value of the call but its method. */
export function denialText({ decision, note }: Verdict, { peer, peerAddress, method }: AccessRequest): string {
  const { reason, policy, rule, condition, dialect } = decision;
  const caller = peer === null ? peerAddress : peer.spiffeId || (peer.dns[0] ?? peerAddress);
  const by = policy === null ? 'no policy' : `${policy.namespace}/${policy.name}${rule < 0 ? '' : `, rule ${rule + 1}`} (${dialect})`;
  return `${method} of ${caller}: ${String(reason)} by ${by}, ${condition}${note === '' ? '' : `: ${note}`}`;
}

/** Of a policy, for the label of a metric: few, because they are in the configuration. */
export function policyLabel(policy: Pick<AuthorizationPolicy, 'namespace' | 'name'> | null): string {
  return policy === null ? '' : `${policy.namespace}/${policy.name}`;
}
