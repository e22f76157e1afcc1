// How endings become labels: a small fixed number of slots, so that no peer can invent a new series. An ending with an
// error has the slot of its code; an answer that of its status.
import type { Outcome } from '../core/call.ts';
import { ERROR_CODES, type MeshErrorCode } from '../core/errors.ts';
import * as name from './semconv.ts';
import type { Attributes } from './series.ts';

/** Statuses that have a series of their own; any other counts as x00 of its class. Source: RFC 9110 §15. */
const STATUSES: readonly number[] = [
  100, 101, 200, 201, 202, 203, 204, 205, 206, 207, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
  410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 507, 511,
];
const CLASSES: readonly string[] = ['1xx', '2xx', '3xx', '4xx', '5xx'];
const CODES = Object.keys(ERROR_CODES) as readonly MeshErrorCode[];

const CODE_INDEX: Readonly<Record<MeshErrorCode, number>> = Object.freeze(
  Object.fromEntries(CODES.map((code, index) => [code, index])) as Record<MeshErrorCode, number>,
);

export interface OutcomeSlots {
  readonly size: number;
  of(outcome: Outcome): number;
  attributes(slot: number): Attributes;
}

/** Slot 0: an answer without a status. Then the answers, then the errors. */
function slots(answers: readonly Attributes[], slotOfStatus: Uint8Array): OutcomeSlots {
  const all: readonly Attributes[] = [{}, ...answers, ...CODES.map((code) => ({ [name.ERROR_TYPE]: code }))];
  const errors = 1 + answers.length;
  return {
    size: all.length,
    of({ error, status }) {
      if (error !== null) return errors + (CODE_INDEX[error.code] ?? CODE_INDEX.call_failed);
      return status < slotOfStatus.length ? (slotOfStatus[status] as number) : 0;
    },
    attributes: (slot) => all[slot] ?? {},
  };
}

function statusTable(slotOf: (status: number) => number): Uint8Array {
  return Uint8Array.from({ length: 600 }, (_, status) => (status < 100 ? 0 : slotOf(status)));
}

function statusAttributes(status: number): Attributes {
  const code = { [name.HTTP_RESPONSE_STATUS_CODE]: status };
  return status < 400 ? code : { ...code, [name.ERROR_TYPE]: String(status) };
}

/** One slot per class of status: for calls. */
export const CLASS_SLOTS: OutcomeSlots = slots(
  CLASSES.map((statusClass) => ({ [name.MESH_STATUS_CLASS]: statusClass })),
  statusTable((status) => Math.floor(status / 100)),
);

/** One slot per registered status: for attempts, whose metric is that of the semantic conventions. */
export const STATUS_SLOTS: OutcomeSlots = slots(
  STATUSES.map(statusAttributes),
  statusTable((status) => 1 + STATUSES.indexOf(STATUSES.includes(status) ? status : Math.floor(status / 100) * 100)),
);

/** Slots of the request methods; the last is `_OTHER`. */
export const METHOD_SLOTS: number = name.KNOWN_METHODS.length + 1;

export function methodSlot(method: string): number {
  switch (method) {
    case 'GET':
      return 0;
    case 'POST':
      return 1;
    default: {
      const index = name.KNOWN_METHODS.indexOf(method);
      return index < 0 ? METHOD_SLOTS - 1 : index;
    }
  }
}
