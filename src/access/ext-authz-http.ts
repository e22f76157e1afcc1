// An external authorizer that speaks HTTP: it gets the head of the call, and the body if it is to see it, and answers 200, or what the caller is to get.
// Source: Envoy ext_authz, http_service; Istio EnvoyExternalAuthorizationHttpProvider.
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http';
import { type Clock, runAt } from '../core/clock.ts';
import type { ExtensionProvider } from '../model/extension-provider.ts';
import type { Authorizer, AuthorizerAnswer } from './check.ts';
import type { AccessRequest, PeekedBody } from './request.ts';
import { checkedBody, headersOf, namedHeaders, PARTIAL_HEADER, statusOf, usablePairs } from './ext-authz.ts';

type Pair = readonly [name: string, value: string];

const BODY_BYTES_MAX = 65_536;
/** A denied caller gets these whatever is listed. Source: Envoy, allowed_client_headers. */
const ALWAYS_DOWNSTREAM: readonly string[] = ['content-type', 'www-authenticate', 'proxy-authenticate', 'location'];

export function httpAuthorizer(provider: ExtensionProvider, clock: Clock): Authorizer & { close(): void } {
  const { failOpen, statusOnError } = provider;
  const agent = new Agent({ keepAlive: true });
  return {
    failOpen,
    statusOnError,
    check: (request) => ask(provider, request, agent, clock).catch((error: Error) => ({ kind: 'error', message: error.message })),
    close: () => agent.destroy(),
  };
}

async function ask(provider: ExtensionProvider, request: AccessRequest, agent: Agent, clock: Clock): Promise<AuthorizerAnswer> {
  const body = await checkedBody(provider, request);
  return body !== null && 'kind' in body ? body : asked(provider, request, body, { agent, clock });
}

interface AskDeps {
  readonly agent: Agent;
  readonly clock: Clock;
}

function asked(
  provider: ExtensionProvider,
  request: AccessRequest,
  body: PeekedBody | null,
  { agent, clock }: AskDeps,
): Promise<AuthorizerAnswer> {
  const { host, port, pathPrefix, timeoutMs } = provider;
  return new Promise((resolve, reject) => {
    const options = {
      host,
      port,
      agent,
      method: request.method,
      path: pathPrefix + request.target,
      headers: headersFor(provider, request, body),
    };
    const sent = httpRequest(options, (response) => {
      answerOf(response, provider).then(resolve, fail);
    });
    const fail = (error: Error): void => {
      sent.destroy();
      reject(new Error(`authorizer ${provider.name}: ${error.message}`));
    };
    const timer = runAt(clock, clock.now() + timeoutMs, () => fail(new Error(`no answer within ${timeoutMs} ms`)));
    sent.on('error', fail);
    sent.on('close', () => clock.disarm(timer));
    sent.end(body?.bytes);
  });
}

function headersFor(
  { includeHeaders, additionalHeaders }: ExtensionProvider,
  request: AccessRequest,
  body: PeekedBody | null,
): Record<string, string> {
  const isNamed = namedHeaders([...includeHeaders, 'authorization']);
  const usable = usablePairs([...headersOf(request)].filter(([name]) => isNamed(name)));
  const length = {
    'content-length': String(body?.bytes.length ?? 0),
    ...(body === null ? {} : { [PARTIAL_HEADER]: String(!body.isWhole) }),
  };
  return { ...Object.fromEntries(usable), ...additionalHeaders, host: request.authority, ...length };
}

async function answerOf(response: IncomingMessage, provider: ExtensionProvider): Promise<AuthorizerAnswer> {
  const body = await textOf(response);
  const status = response.statusCode as number;
  if (status >= 500) throw new Error(`it answered ${status}`);
  const pairs = usablePairs(pairsOf(response.rawHeaders));
  if (status !== 200) {
    const { headersToDownstreamOnDeny: listed } = provider;
    const isNamed = namedHeaders(listed.length === 0 ? ['*'] : [...listed, ...ALWAYS_DOWNSTREAM]);
    return { kind: 'deny', status: statusOf(status, provider.statusOnError), headers: pairs.filter(([name]) => isNamed(name)), body };
  }
  const isUp = namedHeaders(provider.headersToUpstreamOnAllow);
  const isDown = namedHeaders(provider.headersToDownstreamOnAllow);
  const up = pairs.filter(([name]) => isUp(name));
  const names = [...new Set(up.map(([name]) => name))];
  const edits = { remove: names, set: [], append: up, target: null };
  return { kind: 'allow', edits, responseHeaders: pairs.filter(([name]) => isDown(name)) };
}

function pairsOf(raw: readonly string[]): Pair[] {
  const pairs: Pair[] = [];
  for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i] as string, raw[i + 1] as string]);
  return pairs;
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error(`its answer has more than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
