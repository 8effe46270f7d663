import { describeReason, type ExitReason } from './exit-reason.ts';
import { demonitor, watch } from './monitor.ts';
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
    const fail = (why: CallError['why'], detail: string) => {
      timer?.cancel();
      demonitor(ref);
      reject(new CallError(why, target, detail));
    };
    const { clock } = (to as Process).system;
    const timer =
      timeout > 0 ? clock.after(timeout, () => fail('timeout', `no answer in ${timeout} ms`)) : null;
    const ref = watch(target, (reason: ExitReason) => {
      timer?.cancel();
      reject(new CallError('down', target, describeReason(reason)));
    });
    if (ref === null) return;
    const reply: Reply<T> = (value) => {
      timer?.cancel();
      demonitor(ref);
      resolve(value);
    };
    if (!send(to, request(reply))) fail('refused', 'its mailbox is full');
  });
}
