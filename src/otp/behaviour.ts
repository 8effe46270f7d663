import type { ExitReason } from './exit-reason.ts';
import type { Pid, Self } from './process.ts';

/**
 * What a process does, as OTP's `gen_server`: callbacks over a state of its own. Every callback is synchronous and
 * runs to its end alone; slow work is asked of another process and its answer comes back as a message.
 *
 * A callback that throws crashes its process, and only that one.
 */
export interface Behaviour<Args, State, Message> {
  /** Names the code in reports and in `sys`: `topic-server`. */
  readonly name: string;

  /** Makes the first state. `stop(reason)` or a throw: the process never was, and whoever started it is told. */
  init(self: Self<Message>, args: Args): State | Starting<State> | Stop;

  /**
   * What the process is about, for reports and tools: of many alike ones, such as topic servers, their names say nothing.
   * From its state, or from what it was to be started with. Computed whenever somebody looks.
   */
  about?(of: Args | State): string;

  /** Takes one message of the mailbox. */
  handle(state: State, message: Message, self: Self<Message>): Next<State>;

  /**
   * Called once after each turn in which messages were handled, when the mailbox has been drained or the turn's
   * budget is used up: the place to do once per batch what would be dear once per message.
   */
  settle?(state: State, self: Self<Message>): Next<State>;

  /** Gives back what the state holds. Always called, except after `kill` and after a failed `init`. */
  terminate?(state: State, reason: ExitReason, self: Self<Message>): void;

  /**
   * Called in place of `terminate` after `kill`, and after a `terminate` that has thrown, for what Erlang's runtime does
   * by itself at every death: it closes what the process had open. A process that keeps accounts counts here what it
   * held, as far as that is still to be done. Nothing else belongs here.
   */
  salvage?(state: State, self: Self<Message>): void;

  /** With `true`, exit signals arrive as `Exit` messages (but for `kill`); otherwise they end the process. */
  readonly trapExit?: boolean;

  /**
   * Told of the message whose handling crashed the process, and of every message still waiting when the process has
   * ended for good: for those who must account for what they did not deliver. `state`: as the process left it;
   * undefined where there is none: `init` has failed.
   */
  undelivered?(message: Message, reason: ExitReason, state: State | undefined): void;
}

/** An exit signal, as a process that traps exits sees it. `from` is null when no process sent it. */
export interface Exit {
  readonly type: 'exit';
  readonly from: Pid<never> | null;
  readonly reason: ExitReason;
}

/** What a monitor brings, exactly once: at the death of the process, or at once when it was dead already. */
export interface Down {
  readonly type: 'down';
  readonly pid: Pid<never>;
  readonly reason: ExitReason;
}

/** What to do next; `keep` goes on with the same state. */
export type Next<State> = Keep | Become<State> | Stop;

class Keep {
  declare private readonly kind: 'keep';
}

export class Become<State> {
  readonly state: State;
  constructor(state: State) {
    this.state = state;
  }
}

export class Stop {
  readonly reason: ExitReason;
  constructor(reason: ExitReason) {
    this.reason = reason;
  }
}

/** An `init` that is not done: its process says `started(self)` later, and a supervisor waits for it until then. */
export class Starting<State> {
  readonly state: State;
  constructor(state: State) {
    this.state = state;
  }
}

export const keep: Keep = new Keep();

/** Goes on with another state. */
export function become<State>(state: State): Become<State> {
  return new Become(state);
}

/** Ends the process. */
export function stop(reason: ExitReason): Stop {
  return new Stop(reason);
}

export function starting<State>(state: State): Starting<State> {
  return new Starting(state);
}
