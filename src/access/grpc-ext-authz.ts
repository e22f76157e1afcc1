// An external authorizer that speaks gRPC. Its package is loaded with the first of them.
// Source: envoy.service.auth.v3.Authorization; Istio EnvoyExternalAuthorizationGrpcProvider.
import type { Clock } from '../core/clock.ts';
import type { ExtensionProvider } from '../model/extension-provider.ts';
import type { Authorizer, AuthorizerAnswer } from './check.ts';
import { checkedBody } from './ext-authz.ts';
import { checkAnswer, checkRequestBytes } from './ext-authz-message.ts';
import type { AccessRequest } from './request.ts';

const METHOD = '/envoy.service.auth.v3.Authorization/Check';

type Grpc = typeof import('@grpc/grpc-js');

/** Rejects, with what to do, when the package is missing. */
export async function loadGrpcAuthorizer(
  provider: ExtensionProvider,
  clock: Clock,
  load: () => Promise<Grpc> = () => import('@grpc/grpc-js'),
): Promise<Authorizer & { close(): void }> {
  let grpc: Grpc;
  try {
    grpc = await load();
  } catch (cause) {
    throw new Error(`the authorizer ${provider.name} needs the package @grpc/grpc-js. Install it: npm install @grpc/grpc-js`, { cause });
  }
  const { host, port, timeoutMs, failOpen, statusOnError, name } = provider;
  const client = new grpc.Client(`${host.includes(':') ? `[${host}]` : host}:${port}`, grpc.credentials.createInsecure());
  const asked = (question: Buffer, request: AccessRequest): Promise<AuthorizerAnswer> =>
    new Promise((resolve, reject) => {
      const parse = (bytes: Buffer): AuthorizerAnswer => checkAnswer(bytes, request);
      // Retries of the channel would only use up the time that there is.
      const options = { deadline: new Date(clock.wall() + timeoutMs) };
      const same = (bytes: Buffer): Buffer => bytes;
      client.makeUnaryRequest(METHOD, same, parse, question, new grpc.Metadata(), options, (error, answer) => {
        if (answer !== undefined) resolve(answer);
        else reject(error as Error);
      });
    });
  const ask = async (request: AccessRequest): Promise<AuthorizerAnswer> => {
    const body = await checkedBody(provider, request);
    if (body !== null && 'kind' in body) return body;
    const told = body === null ? null : { ...body, isBytes: provider.body?.isBytes === true };
    return asked(checkRequestBytes(request, told), request);
  };
  return {
    failOpen,
    statusOnError,
    check: (request) => ask(request).catch((error: Error) => ({ kind: 'error', message: `authorizer ${name}: ${error.message}` })),
    close: () => client.close(),
  };
}
