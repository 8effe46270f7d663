import { type Behaviour, type Exit, keep, type Next, stop } from '../otp/behaviour.ts';
import type { ChildInfo } from '../otp/child-spec.ts';
import { monitor } from '../otp/monitor.ts';
import { type Pid, type Self, send } from '../otp/process.ts';
import { type ProcessName, sendNamed } from '../otp/registry.ts';
import { exit } from '../otp/signal.ts';
import { sendAfter } from '../otp/timer.ts';
import type { ListenerMessage } from './listener.ts';

/**
 * The last child of the root, so the first to stop: before anything else goes, nothing new is accepted, and all
 * connections at once are told to go away and given time to be flushed.
 */
export interface DrainerArgs {
  /** Whether the relay is to end. Otherwise it is only the acceptor that starts afresh, and connections stay. */
  readonly isStopping: () => boolean;
  readonly listeners: readonly ProcessName<ListenerMessage>[];
  /** The supervisors of the connections. */
  readonly connections: readonly ProcessName<ListsChildren>[];
  /** Milliseconds that the connections have to end; 0: as long as they need. */
  readonly limit: number;
  readonly log: DrainerLog;
}

export interface DrainerLog {
  draining(connections: number): void;
  /** `left`: connections that did not end in time. */
  drained(connections: number, left: number): void;
}

type ListsChildren = { readonly type: 'which'; readonly reply: (children: ChildInfo[]) => void };

export type DrainerMessage =
  | Exit
  | { readonly type: 'connections'; readonly pids: readonly Pid<never>[] }
  | { readonly type: 'down'; readonly pid: Pid<never> }
  | { readonly type: 'time-over' };

interface State extends DrainerArgs {
  readonly self: Self<DrainerMessage>;
  /** Supervisors that have not said yet whom they have. */
  asked: number;
  readonly open: Set<Pid<never>>;
  total: number;
}

export const drainer: Behaviour<DrainerArgs, State, DrainerMessage> = {
  name: 'drainer',
  trapExit: true,

  init: (self, args) => ({ ...args, self, asked: 0, open: new Set(), total: 0 }),

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'exit':
        return begin(state);
      case 'connections':
        state.asked--;
        state.total += message.pids.length;
        for (const pid of message.pids) {
          state.open.add(pid);
          monitor(state.self, pid);
          exit(pid, 'shutdown', state.self);
        }
        if (state.asked === 0) state.log.draining(state.total);
        return endWhenEmpty(state);
      case 'down':
        state.open.delete(message.pid);
        return endWhenEmpty(state);
      case 'time-over':
        return end(state);
    }
  },
};

function begin(state: State): Next<State> {
  const { self, listeners, connections, limit } = state;
  if (!state.isStopping()) return stop('shutdown');
  for (const name of listeners) sendNamed(self.system, name, { type: 'stop-accepting' });
  if (limit > 0) sendAfter(self, limit, { type: 'time-over' });
  const reply = (children: ChildInfo[]) => {
    send(self, { type: 'connections', pids: children.flatMap(({ pid }) => (pid === null ? [] : [pid])) });
  };
  for (const name of connections) if (sendNamed(self.system, name, { type: 'which', reply })) state.asked++;
  return endWhenEmpty(state);
}

function endWhenEmpty(state: State): Next<State> {
  return state.asked === 0 && state.open.size === 0 ? end(state) : keep;
}

function end(state: State): Next<State> {
  state.log.drained(state.total, state.open.size);
  return stop('shutdown');
}
