// The same calls through inmesh: a name instead of an address, and no policy in the code. It all stands in mesh.yaml: who is
// called where and how often, with which certificate, and who may call this service.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServiceError } from '@grpc/grpc-js';
import { createMesh, type Mesh } from 'inmesh';
import { grpcClient, peerOf as grpcPeerOf, serve } from 'inmesh/grpc';
import { createServer, peerOf } from 'inmesh/server';
import { countCaller, rpcs } from './counter.ts';
import { listen } from './listen.ts';
import { tell } from './messages.ts';
import type { RatingsClient } from './ratings-rpc.ts';
import { startTelemetry } from './telemetry.ts';
import type { Answer, Trespass, Wires } from './wires.ts';

/** What the demo's table shows of a call, noted by two layers of our own. */
interface Notes {
  drawn: string;
  attempts: number;
}

const ASKED_MAX = 3;

const TOLD = [
  'endpointEjected',
  'endpointReturned',
  'circuitOpened',
  'circuitClosed',
  'configLoaded',
  'configRejected',
  'identityRotated',
  'identityFailed',
  'peerRefused',
  'callDenied',
] as const;

export async function inmeshLane(): Promise<Wires> {
  startTelemetry();
  const mesh = await createMesh({ config: process.env['MESH_FILE'] as string });
  for (const type of TOLD) mesh.events.addEventListener(type, (event) => tell({ type: 'event', event: event.detail }));
  const notes = noteCalls(mesh);
  let client: RatingsClient | null = null;

  async function get(service: string, path: string, userAgent: string): Promise<Answer> {
    const note: Notes = { drawn: '', attempts: 0 };
    const response = await notes.run(note, () => mesh.fetch(`http://${service}${path}`, { headers: { 'user-agent': userAgent } }));
    const text = await response.text();
    const body: unknown = response.headers.get('content-type') === 'application/json' ? JSON.parse(text) : text;
    return { status: response.status, body, drawn: note.drawn, retries: note.attempts - 1 };
  }

  return {
    get,
    async ratings() {
      const { askRatings, Ratings } = await import('./ratings-rpc.ts');
      client ??= grpcClient(mesh, Ratings, 'ratings');
      return askRatings(client, 0, rpcs.inmesh);
    },
    openHttp(listener, port) {
      const server = createServer(mesh, (request, response) => {
        countCaller(peerOf(request));
        listener(request, response as Parameters<typeof listener>[1]);
      });
      return listen(server, port);
    },
    async openRatings({ GetRating, ListStars }, port) {
      const { ratingsServer } = await import('./ratings-rpc.ts');
      const server = ratingsServer({
        GetRating(call, answer) {
          countCaller(grpcPeerOf(call));
          GetRating(call, answer);
        },
        ListStars(call) {
          countCaller(grpcPeerOf(call));
          ListStars(call);
        },
      });
      return (await serve(mesh, server, { port, host: '127.0.0.1' })).port;
    },
    async trespass(): Promise<Trespass[]> {
      const [{ status }, { averageOf, Ratings }] = await Promise.all([import('@grpc/grpc-js'), import('./ratings-rpc.ts')]);
      const ratings = grpcClient(mesh, Ratings, 'ratings');
      const http = await answered(async () => {
        const reviews = await get('reviews', '/reviews/0', '');
        return `${reviews.status} ${String(reviews.body)}`;
      });
      const rpc = await answered(() =>
        averageOf(ratings, { id: '0' }, {}).then(
          (average) => `OK ${average}`,
          (error: ServiceError) => {
            // The mesh's own errors are no answer of the service.
            if (error.cause !== undefined) throw error;
            return `${status[error.code]} ${error.details}`;
          },
        ),
      );
      return [
        { service: 'reviews', answer: http },
        { service: 'ratings', answer: rpc },
      ];
    },
  };
}

/** What a service said. Tried again where it did not come to that: it is denied all the same. */
async function answered(ask: () => Promise<string>): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === ASKED_MAX) return String(error);
    }
  }
}

function noteCalls(mesh: Mesh): AsyncLocalStorage<Notes> {
  const notes = new AsyncLocalStorage<Notes>();
  mesh.use(
    (next) => (call) => {
      const note = notes.getStore();
      if (note !== undefined) note.drawn = call.destination?.subset ?? '';
      return next(call);
    },
    { role: 'note-draw', above: 'retry' },
  );
  mesh.use(
    (next) => (call) => {
      const note = notes.getStore();
      if (note !== undefined) note.attempts++;
      return next(call);
    },
    { role: 'note-attempt', below: 'retry' },
  );
  return notes;
}
