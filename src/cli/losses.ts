// What the commands that write a configuration in another form have in common: where the report goes, in which form, and what
// the exit code says.
import type { Loss } from '../yaml/losses.ts';
import type { CommandInput } from './command.ts';
import { lossText, summarizeLosses } from './loss-text.ts';

export interface LossOptions {
  readonly isJson: boolean;
  readonly isLossAllowed: boolean;
}

export function lossOptions({ json, 'allow-loss': allowed }: CommandInput['values']): LossOptions {
  return { isJson: json === true, isLossAllowed: allowed === true };
}

/** `files`: what was written, and where. */
export function reportText(losses: readonly Loss[], files: readonly string[], { isJson }: LossOptions): string {
  const summary = summarizeLosses(losses);
  if (isJson) return `${JSON.stringify({ ok: summary.lost === 0, summary, files, losses }, null, 2)}\n`;
  return lossText(losses);
}

export function exitCode(losses: readonly Loss[], { isLossAllowed }: LossOptions): number {
  return summarizeLosses(losses).lost > 0 && !isLossAllowed ? 1 : 0;
}
