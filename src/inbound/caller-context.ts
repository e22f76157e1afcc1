// What is inherited by whatever a handler begins. An object of its own: what lives on must not keep the whole request. The request of
// a caller with a certificate gets its name when somebody asks for it, because most are never asked for.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InboundContext } from '../core/context.ts';
import { REQUEST_ID_HEADER } from '../core/headers.ts';
import { requestName } from './request-name.ts';

/** As much of a call as is handed on. */
export interface ServedCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly deadlineMs: number;
  readonly criticality: number;
  /** What a trusted caller calls it, '' when it does not say; null: nobody names it here. */
  readonly givenName: string | null;
}

export class CallerContext implements InboundContext {
  readonly deadlineMs: number;
  readonly criticality: number;
  readonly source: string;
  #requestId = '';
  readonly #givenName: string | null;
  /** Is told the name; null when it has all gone. */
  #response: ServerResponse | null;

  constructor({ request, response, deadlineMs, criticality, givenName }: ServedCall) {
    this.deadlineMs = deadlineMs;
    this.criticality = criticality;
    this.source = request.socket.remoteAddress ?? '';
    this.#givenName = givenName;
    this.#response = response;
  }

  get requestId(): string {
    if (this.#requestId === '' && this.#givenName !== null) {
      this.#requestId = requestName(this.#givenName);
      if (this.#response?.headersSent === false) this.#response.setHeader(REQUEST_ID_HEADER, this.#requestId);
    }
    return this.#requestId;
  }

  /** The answer is over. */
  over(): void {
    this.#response = null;
  }
}
