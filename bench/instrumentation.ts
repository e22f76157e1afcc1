// The public way to see undici and built-in fetch in OpenTelemetry today.
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';

/** Call after the global providers are set. */
export function instrumentUndici(): void {
  registerInstrumentations({ instrumentations: [new UndiciInstrumentation()] });
}
