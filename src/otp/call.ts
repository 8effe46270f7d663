import type { ClockTimer } from './clock.ts';
import { describeReason } from './exit-reason.ts';
import { demonitor, type MonitorRef, watch } from './monitor.ts';
import { type Pid, type Process, send } from './process.ts';

/** Answers a call. Only the first answer counts. */
export type Reply<T> = (value: T) => void;

/** A call that was not answered: the callee is dead, died before it answered, was full, or took too long. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly why: 'down' | 'refused' | 'timeout';

  constructor(why: 'down' | 'refused' | 'timeout', to: Pid<never>, detail: string) {
    super(`call to ${to.toString()} failed: ${detail}`);
    this.why = why;
  }
}

/**
 * Asks a process from outside the processes (a process itself sends a message that names it as `from`).
 * Settles with the answer; rejects with a `CallError` at once when the callee dies, and after `timeout`
 * milliseconds (0: never).
 */
export function call<Message, T>(
  to: Pid<Message>,
  request: (reply: Reply<T>) => Message,
  timeout = 5000,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const target = to as Pid<never>;
    const { clock } = (to as Process).system;
    let timer: ClockTimer | undefined;
    let ref: MonitorRef = null;
    const settle = () => {
      timer?.cancel();
      demonitor(ref);
    };
    const fail = (why: CallError['why'], detail: string) => {
      settle();
      reject(new CallError(why, target, detail));
    };
    // Made first: should this throw, there is nothing to take back yet.
    const message = request((value) => {
      settle();
      resolve(value);
    });
    if (timeout > 0) timer = clock.after(timeout, () => fail('timeout', `no answer in ${timeout} ms`));
    ref = watch(target, (reason) => fail('down', describeReason(reason)));
    if (ref !== null && !send(to, message)) fail('refused', 'its mailbox is full');
  });
}
