// An external authorizer that speaks gRPC. Its package is loaded with the first of them.
// Source: envoy.service.auth.v3.Authorization; Istio EnvoyExternalAuthorizationGrpcProvider.
import type { Clock } from '../core/clock.ts';
import type { ExtensionProvider } from '../model/extension-provider.ts';
import type { Authorizer, AuthorizerAnswer } from './check.ts';
import { checkAnswer, checkRequestBytes } from './ext-authz-message.ts';

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
  return {
    failOpen,
    statusOnError,
    check: (request) =>
      new Promise<AuthorizerAnswer>((resolve) => {
        const parse = (bytes: Buffer): AuthorizerAnswer => checkAnswer(bytes, request);
        // Retries of the channel would only use up the time that there is.
        const options = { deadline: new Date(clock.wall() + timeoutMs) };
        client.makeUnaryRequest(
          METHOD,
          (bytes: Buffer) => bytes,
          parse,
          checkRequestBytes(request),
          new grpc.Metadata(),
          options,
          (error, answer) => {
            if (answer !== undefined) resolve(answer);
            else resolve({ kind: 'error', message: `authorizer ${name}: ${(error as Error).message}` });
          },
        );
      }),
    close: () => client.close(),
  };
}
