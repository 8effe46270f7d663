import { type Behaviour, type Exit, keep, type Next, stop } from '../otp/behaviour.ts';
import type { ChildInfo } from '../otp/child-spec.ts';
import { monitor } from '../otp/monitor.ts';
import { inform, isAlive, type Pid, type Self, send } from '../otp/process.ts';
import { type ProcessName, whereis } from '../otp/registry.ts';
import { exit } from '../otp/signal.ts';
import { type ListsChildren, whichChildren } from '../otp/supervisor.ts';
import { sendAfter } from '../otp/timer.ts';

/**
 * Empties the relay, or one door of it. As the last child of the root it is the first to stop: before anything else
 * goes, nothing new is accepted, and the connections are told to go away and given time to be flushed. For a door that
 * closes while the relay runs on, a drainer of its own drains that door's connections at once, and ends.
 *
 * Many connections are told one portion after the other, over half of the time: clients that are told together come
 * back together, and the relays that are left would have them all in the same moment.
 */
export interface DrainerArgs {
  /** Whether the relay is to end. Otherwise it is only the acceptor that starts afresh, and connections stay. */
  readonly isStopping: () => boolean;
  /** Called when the drain begins: the doors accept nothing more. */
  readonly stopAccepting: () => void;
  /** The supervisors of the connections. */
  readonly connections: readonly ProcessName<ListsChildren>[];
  /** Whose connections; null: all, when this process is told to stop. */
  readonly only: ((connection: Pid<never>) => boolean) | null;
  /** Milliseconds that the connections have to end, asked when the drain begins; 0: as long as they need. */
  readonly limit: () => number;
  /** What became of messages so far. */
  readonly tally: () => Tally;
  readonly log: DrainerLog;
}

export interface Tally {
  readonly delivered: number;
  readonly dropped: number;
}

/** The end of a drain. */
export interface Drained {
  readonly connections: number;
  /** Connections that did not end in time. */
  readonly left: number;
  /** Connections that were told, and went. */
  readonly moved: number;
  /** Messages that were delivered in the time of the drain. */
  readonly flushed: number;
  /** Messages that were not, for whatever reason. */
  readonly dropped: number;
}

export interface DrainerLog {
  draining(connections: number): void;
  drained(drained: Drained): void;
}

export type DrainerMessage =
  | Exit
  | { readonly type: 'connections'; readonly pids: readonly Pid<never>[] }
  | { readonly type: 'down'; readonly pid: Pid<never> }
  | { readonly type: 'begin' | 'tell' | 'time-over' };

/** As many connections as are told all at once. */
const AT_ONCE = 1000;
/** Milliseconds between two portions. */
const PORTION_PERIOD = 100;
/** Where the time for the drain is not limited, in milliseconds. */
const UNLIMITED_SPREAD = 15_000;

interface State extends DrainerArgs {
  readonly self: Self<DrainerMessage>;
  /** What became of messages before the drain; null: it has not begun. */
  before: Tally | null;
  readonly open: Set<Pid<never>>;
  /** Not told yet, the next one last. */
  untold: Pid<never>[];
  portion: number;
  total: number;
}

export const drainer: Behaviour<DrainerArgs, State, DrainerMessage> = {
  name: 'drainer',
  trapExit: true,

  init(self, args) {
    if (args.only !== null) send(self, { type: 'begin' });
    return { ...args, self, before: null, open: new Set(), untold: [], portion: 0, total: 0 };
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'exit':
        // The relay's own drainer, which stops first, has the connections of a closed door as well.
        return state.only === null && state.before === null && state.isStopping()
          ? begin(state)
          : stop('shutdown');
      case 'begin':
        return begin(state);
      case 'connections':
        return listed(state, message.pids);
      case 'tell':
        return tell(state);
      case 'down':
        state.open.delete(message.pid);
        return endWhenEmpty(state);
      case 'time-over':
        return end(state);
    }
  },
};

/** Connections told in one portion, so that all have been told after half of the time. */
export function portionOf(connections: number, limit: number): number {
  if (connections <= AT_ONCE) return connections;
  const spread = limit === 0 ? UNLIMITED_SPREAD : limit / 2;
  return Math.ceil(connections / Math.max(1, Math.floor(spread / PORTION_PERIOD)));
}

function begin(state: State): Next<State> {
  const { self, connections } = state;
  state.before = state.tally();
  state.stopAccepting();
  const limit = state.limit();
  if (limit > 0) sendAfter(self, limit, { type: 'time-over' });
  const lists = connections.map(async (name): Promise<readonly ChildInfo[]> => {
    const supervisor = whereis(self.system, name);
    // A supervisor that dies first takes its connections along.
    return supervisor === undefined ? [] : whichChildren(supervisor, 0).catch(() => []);
  });
  void Promise.all(lists).then((children) => {
    const pids = children.flat().flatMap(({ pid }) => (pid === null ? [] : [pid]));
    inform(self, { type: 'connections', pids });
  });
  return keep;
}

function listed(state: State, pids: readonly Pid<never>[]): Next<State> {
  const { self, only } = state;
  for (const pid of pids) {
    if (only !== null && !only(pid)) continue;
    state.open.add(pid);
    state.untold.push(pid);
    monitor(self, pid);
  }
  state.total = state.open.size;
  state.log.draining(state.total);
  state.portion = portionOf(state.total, state.limit());
  return tell(state);
}

function tell(state: State): Next<State> {
  for (let told = 0; told < state.portion && state.untold.length > 0; ) {
    const pid = state.untold.pop() as Pid<never>;
    if (!isAlive(pid)) continue;
    exit(pid, 'shutdown', state.self);
    told++;
  }
  if (state.untold.length > 0) sendAfter(state.self, PORTION_PERIOD, { type: 'tell' });
  return endWhenEmpty(state);
}

function endWhenEmpty(state: State): Next<State> {
  return state.open.size === 0 ? end(state) : keep;
}

function end(state: State): Next<State> {
  const { total, open, before, log } = state;
  const { delivered, dropped } = state.tally();
  const since = before ?? { delivered, dropped };
  log.drained({
    connections: total,
    left: open.size,
    moved: total - open.size,
    flushed: delivered - since.delivered,
    dropped: dropped - since.dropped,
  });
  return stop('shutdown');
}
