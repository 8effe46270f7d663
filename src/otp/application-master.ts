import { type Behaviour, type Exit, keep, stop } from './behaviour.ts';
import type { ChildSpec } from './child-spec.ts';
import type { ExitReason } from './exit-reason.ts';
import { spawn } from './incarnation.ts';
import type { ChildStarted, Pid, Process } from './process.ts';
import { exit } from './signal.ts';
import type { System } from './system.ts';

/**
 * Starts a tree and tells the world outside how it goes, as OTP's application master: it is the parent of the root
 * supervisor, which has nobody else to report to.
 */
export interface Application {
  /** Settles once: when every child of the tree has started, or when one could not be, with the reason. */
  readonly started: Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: ExitReason }>;
  /** Settles when the tree is gone: `shutdown` after `stop`, and also when the root has given up by itself. */
  readonly ended: Promise<ExitReason>;
  /** Stops the tree in good order. */
  stop(): void;
}

type Message = Exit | ChildStarted;

interface Args {
  readonly spec: ChildSpec;
  readonly onStarted: (failure: ExitReason | null) => void;
  readonly onEnded: (reason: ExitReason) => void;
}

interface State extends Args {
  root: Pid<never>;
}

const applicationMaster: Behaviour<Args, State, Message> = {
  name: 'application-master',
  trapExit: true,

  init(self, args) {
    const root = args.spec.start(self.system, { parent: self as Process, label: args.spec.id });
    if (!root.ok) return stop(root.reason);
    if ((root.pid as Process).status === 'running') args.onStarted(null);
    return { ...args, root: root.pid };
  },

  handle(state, message) {
    if (message.type === 'child-started') {
      state.onStarted(null);
      return keep;
    }
    if (message.from === state.root) {
      // After a failed start this is the outcome of `started`; otherwise `started` has settled, and this does nothing.
      state.onStarted(message.reason);
      state.onEnded(message.reason);
      return stop('normal');
    }
    exit(state.root, 'shutdown', null);
    return keep;
  },
};

export function startApplication(system: System, spec: ChildSpec): Application {
  let onStarted: Args['onStarted'] = () => undefined;
  let onEnded: Args['onEnded'] = () => undefined;
  const started: Application['started'] = new Promise((resolve) => {
    onStarted = (failure) => resolve(failure === null ? { ok: true } : { ok: false, reason: failure });
  });
  const ended: Application['ended'] = new Promise((resolve) => {
    onEnded = resolve;
  });
  const master = spawn(system, applicationMaster, { spec, onStarted, onEnded });
  if (!master.ok) {
    onStarted(master.reason);
    onEnded(master.reason);
  }
  return {
    started,
    ended,
    stop: () => {
      if (master.ok) exit(master.pid, 'shutdown');
    },
  };
}
