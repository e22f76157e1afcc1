// What becomes of a call, by the very matchers and rewrites that a running mesh uses: the judge of two configurations that
// should mean the same, whatever their rules look like.
import { Call } from '../../../src/core/call.ts';
import type { MeshConfig, RouteConfig, ServiceConfig } from '../../../src/model/config.ts';
import type { RouteTarget } from '../../../src/model/route.ts';
import { compileMatches } from '../../../src/route/match.ts';
import { compileRewrite } from '../../../src/route/path-rewrite.ts';
import type { RegexCompiler } from '../../../src/route/regex.ts';
import { redirect } from '../../../src/route/redirect.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

export interface TestCall {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** @default the name of the service */
  readonly authority?: string;
}

export interface Decision {
  /** Of the rule. */
  readonly name: string;
  readonly route: RouteConfig;
  /** All that the caller and the endpoints notice, but for policies that are counted and drawn. */
  readonly outcome: Readonly<Record<string, unknown>>;
}

/** Answers for one service; `nameOf`: what its targets are called. */
export async function decider(
  config: MeshConfig,
  name: string,
  regex: RegexCompiler,
  nameOf: (target: string) => string = (target) => target,
): Promise<(call: TestCall) => Promise<Decision>> {
  const service = config.services[name] as ServiceConfig;
  const rules = service.routes.map((route) => ({ route, matches: compileMatches(route.matches, (pattern) => regex.compile(pattern)) }));
  const clock = new VirtualClock();
  return async ({ method, path, headers, authority = name }) => {
    const init = { scheme: 'http', authority, method, path, headers: Object.entries(headers).flat(), body: null };
    const call = new Call(init, 0);
    const found = rules.find(({ matches }) => matches === null || matches(call));
    if (found === undefined) throw new Error(`no rule of ${name} takes the call`);
    const { route } = found;
    const own = { timeoutMs: route.timeoutMs ?? service.timeoutMs };
    if (route.redirect !== undefined) {
      const reply = await redirect(route.redirect, { clock, replacer: regex.replacer })(call);
      return { name: route.name, route, outcome: { status: reply.status, location: reply.headers.location } };
    }
    if (route.directResponse !== undefined) {
      const { status, body } = route.directResponse;
      return { name: route.name, route, outcome: { status, body } };
    }
    const rewritten = route.rewrite?.path === undefined ? path : compileRewrite(route.rewrite.path, regex.replacer)(path);
    return {
      name: route.name,
      route,
      outcome: {
        ...own,
        to: sharesOf(route, nameOf),
        path: rewritten,
        authority: route.rewrite?.authority ?? name,
        mirrors: mirrorsOf(route, nameOf),
      },
    };
  };
}

function sharesOf({ targets }: RouteConfig, nameOf: (target: string) => string): Readonly<Record<string, number>> {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  const shares: Record<string, number> = {};
  for (const { service, subset, weight, fails } of targets) {
    const share = targets.length === 1 ? 1 : weight / total;
    const key =
      fails === undefined ? nameOf(subset === undefined || subset === '' ? service : `${service}/${subset}`) : `fails ${fails.status}`;
    if (share > 0) shares[key] = Math.round(((shares[key] ?? 0) + share) * 1e6) / 1e6;
  }
  return shares;
}

function mirrorsOf({ mirrors }: RouteConfig, nameOf: (target: string) => string): readonly string[] {
  const nameIn = ({ service, subset }: Pick<RouteTarget, 'service' | 'subset'>): string =>
    nameOf(subset === undefined ? service : `${service}/${subset}`);
  return mirrors
    .filter(({ percent }) => percent > 0)
    .map(({ target, percent, of }) => `${nameIn(target)} ${percent}${of === undefined ? '' : ` of ${nameIn(of)}`}`)
    .sort();
}
