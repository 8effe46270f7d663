import { readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second here, whatever the kernel's own tick is (proc(5), USER_HZ). */
const MICROSECONDS_PER_TICK = 10_000;

/** User and system time of a process in microseconds, all its threads; null where there is no /proc. */
export function cpuMicroseconds(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The name, field 2, may hold blanks and brackets: fields are counted from the last bracket, which precedes field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_PER_TICK;
}

/** Resident memory in bytes; null where there is no /proc. */
export function residentBytes(pid: number): number | null {
  const kibibytes = read(`/proc/${pid}/status`)?.match(/^VmRSS:\s+(\d+) kB$/m)?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return null;
  }
}
