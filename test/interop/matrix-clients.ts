// The near side of the matrix: every way of making a call that one install must serve, each behind the same small face.
import { Readable, Writable } from 'node:stream';

export interface Init {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** Called for every piece of the body. */
  readonly onChunk?: () => void;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

export type ClientKind = 'fetch' | 'request' | 'stream' | 'pipeline';

export interface Client {
  readonly name: string;
  readonly kind: ClientKind;
  /** The FormData that this client takes. */
  readonly FormData: typeof FormData;
  send(url: string, init: Init): Promise<Answer>;
}

type HeaderRecord = Record<string, string | string[] | undefined>;

/** What the three majors of undici have in common. */
export interface UndiciModule {
  readonly FormData: typeof FormData;
  fetch(url: string, init: object): Promise<Response>;
  request(url: string, init: object): Promise<{ statusCode: number; headers: HeaderRecord; body: AsyncIterable<Buffer> }>;
  stream(url: string, init: object, factory: (head: { statusCode: number; headers: HeaderRecord }) => Writable): Promise<unknown>;
  pipeline(
    url: string,
    init: object,
    handler: (head: { statusCode: number; headers: HeaderRecord; body: Readable }) => Readable,
  ): NodeJS.ReadWriteStream;
}

function answer(status: number, headers: HeaderRecord, chunks: readonly Uint8Array[]): Answer {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) flat[name] = Array.isArray(value) ? value.join(', ') : (value ?? '');
  const cookies = headers['set-cookie'] ?? [];
  return { status, headers: flat, cookies: Array.isArray(cookies) ? cookies : [cookies], body: Buffer.concat(chunks) };
}

/** `undefined` values are left out: the majors do not agree on what they mean. */
function options(dispatcher: unknown, { method = 'GET', headers, body, signal }: Init): Record<string, unknown> {
  return {
    method,
    ...(dispatcher === undefined ? {} : { dispatcher }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  };
}

export function fetchClient(name: string, send: UndiciModule['fetch'], dispatcher: unknown, Form: typeof FormData): Client {
  return {
    name,
    kind: 'fetch',
    FormData: Form,
    async send(url, init) {
      const response = await send(url, { ...options(dispatcher, init), duplex: 'half' });
      const chunks: Uint8Array[] = [];
      if (response.body !== null) {
        for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
          chunks.push(chunk);
          init.onChunk?.();
        }
      }
      const headers = { ...Object.fromEntries(response.headers), 'set-cookie': response.headers.getSetCookie() };
      return answer(response.status, headers, chunks);
    },
  };
}

function requestClient(name: string, undici: UndiciModule, dispatcher: unknown): Client {
  return {
    name,
    kind: 'request',
    FormData: undici.FormData,
    async send(url, init) {
      const { statusCode, headers, body } = await undici.request(url, options(dispatcher, init));
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) {
        chunks.push(chunk);
        init.onChunk?.();
      }
      return answer(statusCode, headers, chunks);
    },
  };
}

function streamClient(name: string, undici: UndiciModule, dispatcher: unknown): Client {
  return {
    name,
    kind: 'stream',
    FormData,
    async send(url, init) {
      const chunks: Uint8Array[] = [];
      let head = { statusCode: 0, headers: {} as HeaderRecord };
      await undici.stream(url, options(dispatcher, init), (given) => {
        head = given;
        return new Writable({
          write(chunk: Uint8Array, _encoding, done) {
            chunks.push(chunk);
            init.onChunk?.();
            done();
          },
        });
      });
      return answer(head.statusCode, head.headers, chunks);
    },
  };
}

function pipelineClient(name: string, undici: UndiciModule, dispatcher: unknown): Client {
  return {
    name,
    kind: 'pipeline',
    FormData,
    send(url, init) {
      const { body, ...rest } = init;
      return new Promise((resolve, reject) => {
        const chunks: Uint8Array[] = [];
        let head = { statusCode: 0, headers: {} as HeaderRecord };
        const duplex = undici.pipeline(url, options(dispatcher, rest), (given) => {
          head = given;
          return given.body;
        });
        duplex.on('data', (chunk: Uint8Array) => {
          chunks.push(chunk);
          init.onChunk?.();
        });
        duplex.on('end', () => resolve(answer(head.statusCode, head.headers, chunks)));
        duplex.on('error', reject);
        if (body instanceof Readable) body.pipe(duplex as unknown as Writable);
        else if (body instanceof ReadableStream) Readable.fromWeb(body as never).pipe(duplex as unknown as Writable);
        else if (body === undefined) duplex.end();
        else duplex.end(body as string);
      });
    },
  };
}

/** All clients of one undici. */
export function undiciClients(label: string, undici: UndiciModule, dispatcher: unknown): Client[] {
  return [
    requestClient(`${label} request`, undici, dispatcher),
    fetchClient(`${label} fetch`, undici.fetch, dispatcher, undici.FormData),
    streamClient(`${label} stream`, undici, dispatcher),
    pipelineClient(`${label} pipeline`, undici, dispatcher),
  ];
}
