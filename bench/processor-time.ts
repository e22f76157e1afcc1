// CPU time of other processes and of the whole machine, where the system tells (Linux); NaN elsewhere.
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** User and system time of a process so far, µs, in steps of 10 ms. */
export function processTimeUs(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return Number.NaN;
  }
}

/** Busy time of all cores so far, µs. */
export function machineTimeUs(): number {
  let busyMs = 0;
  for (const { times } of cpus()) busyMs += times.user + times.nice + times.sys + times.irq;
  return busyMs * 1_000;
}
