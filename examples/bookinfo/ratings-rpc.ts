// The ratings service as gRPC has it: the client and the server that ratings.proto describes, and the one question that
// reviews ask. The same for both lanes: they differ in who makes the client and who takes the calls in.
import { fileURLToPath } from 'node:url';
import {
  type CallOptions,
  type ChannelCredentials,
  type Client,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type GrpcObject,
  type handleServerStreamingCall,
  type handleUnaryCall,
  loadPackageDefinition,
  Server,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { RpcCounts } from './messages.ts';

interface Book {
  readonly id: string;
}

interface Rating {
  readonly average: number;
}

interface Stars {
  readonly reviewer: string;
  readonly stars: number;
}

export interface RatingsHandlers {
  readonly GetRating: handleUnaryCall<Book, Rating>;
  readonly ListStars: handleServerStreamingCall<Book, Stars>;
}

export interface RatingsClient extends Client {
  GetRating(book: Book, options: CallOptions, answer: (error: ServiceError | null, rating?: Rating) => void): ClientUnaryCall;
  ListStars(book: Book, options: CallOptions): ClientReadableStream<Stars>;
}

export type RatingsClass = new (address: string, credentials: ChannelCredentials, options?: Partial<ClientOptions>) => RatingsClient;

const PROTO = fileURLToPath(new URL('ratings.proto', import.meta.url));
const made = (loadPackageDefinition(loadSync(PROTO))['bookinfo'] as GrpcObject)['Ratings'] as ServiceClientConstructor;

/** What a generator would write: the class of clients. */
export const Ratings: RatingsClass = made as unknown as RatingsClass;

/** Not bound to a port yet. */
export function ratingsServer({ GetRating, ListStars }: RatingsHandlers): Server {
  const server = new Server();
  server.addService(made.service, { GetRating, ListStars });
  return server;
}

export interface BookRatings {
  readonly average: number;
  readonly stars: readonly number[];
}

/** Asks in both ways at once: one answer, and a stream of them. Counts what became of it. */
export async function askRatings(client: RatingsClient, timeoutMs: number, counts: RpcCounts): Promise<BookRatings> {
  const book: Book = { id: '0' };
  const options = timeoutMs === 0 ? {} : { deadline: Date.now() + timeoutMs };
  const asked = counting(counts, averageOf(client, book, options));
  const listed = counting(counts, starsOf(client, book, options, counts));
  const [average, stars] = await Promise.all([asked, listed]);
  return { average, stars };
}

/** The unary half alone. */
export function averageOf(client: RatingsClient, book: Book, options: CallOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    client.GetRating(book, options, (error, rating) => (error === null ? resolve(rating?.average ?? 0) : reject(error)));
  });
}

async function starsOf(client: RatingsClient, book: Book, options: CallOptions, counts: RpcCounts): Promise<number[]> {
  const stars: number[] = [];
  for await (const message of client.ListStars(book, options) as AsyncIterable<Stars>) {
    counts.messages++;
    stars.push(message.stars);
  }
  return stars;
}

async function counting<T>(counts: RpcCounts, asked: Promise<T>): Promise<T> {
  counts.calls++;
  try {
    return await asked;
  } catch (error) {
    counts.failed++;
    throw error;
  }
}
