import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

/** Stops a process in mid-air. A signal takes effect some time after it was sent: this waits until every thread stands. */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  const tasks = `/proc/${pid}/task`;
  const stands = (task: string) =>
    / [Tt] /.test(readFileSync(`${tasks}/${task}/stat`, 'utf8').split(')').pop() ?? '');
  while (!readdirSync(tasks).every(stands)) await turn();
}
