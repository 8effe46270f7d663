import { Become, type Behaviour, type Exit, keep, type Next, Starting, Stop } from './behaviour.ts';
import { describeReason, type ExitReason, type ExitSignal, isOrderly, toError } from './exit-reason.ts';
import { Mailbox } from './mailbox.ts';
import { dropMonitors, fireMonitors } from './monitor.ts';
import {
  type ChildStarted,
  nameOf,
  type Pid,
  type Process,
  type ProcessSystem,
  type SpawnOptions,
  type Started,
  type Status,
  type Trace,
  type Watch,
} from './process.ts';
import type { CrashReport } from './reports.ts';
import { cancelTimers } from './timer.ts';

/** Starts a process and runs its `init`. Children are started by their supervisor. */
export function spawn<Args, State, Message>(
  system: ProcessSystem,
  behaviour: Behaviour<Args, State, Message>,
  args: Args,
  options: SpawnOptions = {},
): Started<Message> {
  const process = new Incarnation(system, behaviour as Behaviour<unknown, unknown, unknown>, options);
  const failure = process.start(args, options.inherit as Incarnation | undefined);
  return failure === undefined ? { ok: true, pid: process as Pid<Message> } : { ok: false, reason: failure };
}

/** What a process is about, by its state or by what it is started with; a behaviour that cannot say it says nothing. */
export function aboutOf<Args, State, Message>(
  behaviour: Behaviour<Args, State, Message>,
  of: Args | State,
): string | null {
  try {
    return behaviour.about?.(of) ?? null;
  } catch {
    return null;
  }
}

const DEFAULT_MAILBOX_LIMIT = 100_000;
/** Messages that one process handles before others have their turn. */
const MESSAGES_PER_RUN = 1000;

/**
 * A process: a mailbox, a state, and a behaviour that is run by the scheduler, one message after the other, within a
 * guard.
 */
class Incarnation implements Process {
  readonly id: number;
  readonly system: ProcessSystem;
  readonly behaviour: Behaviour<unknown, unknown, unknown>;
  readonly parent: Process | undefined;
  readonly mailboxLimit: number;
  readonly keepMailbox: boolean;
  readonly restarts: number;
  readonly startedAt: number;
  status: Status = 'starting';
  state: unknown = undefined;
  name: string | undefined;
  label: string | undefined;
  readonly #mailbox = new Mailbox();
  #queued = false;
  suspended = false;
  handled = 0;
  highWater = 0;
  /** One of its callbacks is on the stack, be it below those of others. */
  #busy = false;
  /** Set when a signal ends this process in the middle of one of its own callbacks. */
  #pendingExit: ExitReason | undefined = undefined;
  #killed = false;
  links: Set<Process> | undefined = undefined;
  timers: Process['timers'] = undefined;
  watchers: Watch[] | undefined = undefined;
  watching: Watch[] | undefined = undefined;
  trace: Trace | undefined = undefined;

  constructor(system: ProcessSystem, behaviour: Behaviour<unknown, unknown, unknown>, options: SpawnOptions) {
    this.id = ++system.lastId;
    this.system = system;
    this.behaviour = behaviour;
    this.parent = options.parent;
    this.name = options.name;
    this.label = options.label;
    this.mailboxLimit = options.mailboxLimit ?? DEFAULT_MAILBOX_LIMIT;
    this.keepMailbox = options.keepMailbox ?? false;
    this.restarts = options.restarts ?? 0;
    this.startedAt = system.clock.now();
  }

  toString(): string {
    return `<${this.id}>`;
  }

  get alive(): boolean {
    return this.status === 'running' || this.status === 'starting';
  }

  get about(): string | null {
    return this.state === undefined ? null : aboutOf(this.behaviour, this.state);
  }

  get mailboxLength(): number {
    return this.#mailbox.length;
  }

  /** Runs `init`, then takes over the mailbox that was kept. Returns why it failed, or undefined. */
  start(args: unknown, inherit?: Incarnation): ExitReason | undefined {
    const { system } = this;
    if (this.parent?.alive === false) return 'noproc';
    if (this.name !== undefined) {
      if (system.names.has(this.name)) return { stop: `already registered: ${this.name}` };
      system.names.set(this.name, this);
    }
    system.processes.set(this.id, this);
    system.counters.spawned++;
    if (this.restarts > 0) countRestart(this);
    this.parent?.adopt(this);
    this.#busy = true;
    let failure: ExitReason | undefined;
    try {
      const state = this.behaviour.init(this, args);
      if (state instanceof Stop) {
        failure = state.reason;
      } else if (state instanceof Starting) {
        this.state = state.state;
      } else {
        this.state = state;
        this.status = 'running';
      }
    } catch (error) {
      failure = { error: toError(error) };
    }
    this.#busy = false;
    failure ??= this.#pendingExit;
    if (failure !== undefined) {
      // The starter is told by the return value, so the parent gets no exit message for a child that never was.
      this.parent?.links?.delete(this);
      this.#finish(failure, false, undefined, aboutOf(this.behaviour, args));
      return failure;
    }
    if (inherit !== undefined) this.#inherit(inherit);
    if (this.#mailbox.length > 0) this.#schedule();
    return undefined;
  }

  receive(message: unknown): boolean {
    if (this.status === 'exited') {
      this.system.counters.deadLetters++;
      return false;
    }
    if (this.#mailbox.length >= this.mailboxLimit) {
      this.system.counters.refused++;
      return false;
    }
    this.#put(message);
    return true;
  }

  inform(message: unknown): boolean {
    if (this.status === 'exited') return false;
    this.#put(message);
    return true;
  }

  run(): void {
    this.#queued = false;
    if (this.suspended || !this.alive) return;
    const { behaviour } = this;
    const mailbox = this.#mailbox;
    if (mailbox.length > this.highWater) this.highWater = mailbox.length;
    const count = Math.min(mailbox.length, MESSAGES_PER_RUN);
    const { first } = mailbox;
    const rest = mailbox.takeBehindFirst(MESSAGES_PER_RUN);
    let taken = 0;
    let settling = false;
    let reason: ExitReason | undefined;
    let culprit: { readonly message: unknown } | undefined;
    this.#busy = true;
    try {
      while (taken < count && reason === undefined) {
        const message = taken === 0 ? first : (rest as unknown[])[taken - 1];
        taken++;
        if (this.trace !== undefined) this.trace.record(message);
        const next = behaviour.handle(this.state, message, this);
        reason = next === keep ? this.#pendingExit : this.#follow(next);
        if (this.suspended) break;
      }
      if (reason === undefined && behaviour.settle !== undefined) {
        settling = true;
        const next = behaviour.settle(this.state, this);
        reason = next === keep ? this.#pendingExit : this.#follow(next);
      }
    } catch (error) {
      reason = { error: toError(error) };
      if (!settling) culprit = { message: taken === 1 ? first : (rest as unknown[])[taken - 2] };
    }
    this.#busy = false;
    this.handled += taken;
    if (taken < count) mailbox.putBack((rest as unknown[]).slice(taken - 1));
    if (reason !== undefined) this.#finish(reason, true, culprit);
    else if (mailbox.length > 0) this.#schedule();
  }

  becomeStarted(): void {
    if (this.status !== 'starting') return;
    this.status = 'running';
    if (this.#mailbox.length > 0) this.#schedule();
    this.parent?.inform({ type: 'child-started', pid: this } satisfies ChildStarted);
  }

  signal(from: Process | null, signal: ExitSignal): void {
    if (!this.alive) return;
    if (signal === 'kill') {
      this.#killed = true;
      this.#end('killed');
    } else if (this.behaviour.trapExit === true) {
      this.inform({ type: 'exit', from, reason: signal } satisfies Exit);
    } else if (signal !== 'normal' || from === this) {
      this.#end(signal);
    }
  }

  adopt(child: Process): void {
    this.links ??= new Set();
    this.links.add(child);
  }

  resume(): void {
    this.suspended = false;
    if (this.#mailbox.length > 0) this.#schedule();
  }

  discard(reason: ExitReason): void {
    if (this.status !== 'limbo') return;
    this.status = 'exited';
    this.#discardMailbox(reason);
    this.state = undefined;
  }

  #put(message: unknown): void {
    this.#mailbox.put(message);
    if (!this.#queued) this.#schedule();
  }

  #schedule(): void {
    if (this.#queued || this.suspended || this.status === 'limbo') return;
    this.#queued = true;
    this.system.scheduler.enqueue(this);
  }

  #follow(next: Next<unknown>): ExitReason | undefined {
    if (next instanceof Stop) return next.reason;
    if (next instanceof Become) this.state = next.state;
    return this.#pendingExit;
  }

  #inherit(predecessor: Incarnation): void {
    this.#mailbox.putBack(predecessor.#mailbox.takeAll());
    predecessor.status = 'exited';
    predecessor.state = undefined;
  }

  #discardMailbox(reason: ExitReason): void {
    for (const message of this.#mailbox.takeAll()) {
      this.#guard(() => this.behaviour.undelivered?.(message, reason, this.state));
    }
  }

  /** Ends the process now, or as soon as the callback that it is in has returned. */
  #end(reason: ExitReason): void {
    if (this.#busy) this.#pendingExit ??= reason;
    else this.#finish(reason, true);
  }

  #finish(
    reason: ExitReason,
    wasStarted: boolean,
    culprit?: { readonly message: unknown },
    about: string | null = this.about,
  ): void {
    const { system, behaviour, parent } = this;
    let why = reason;
    // Foreseen, like a port that is taken: its starter is told, and says so.
    const refused = this.status === 'starting' && typeof reason === 'object' && 'stop' in reason;
    if (wasStarted && this.#killed) {
      this.#guard(() => behaviour.salvage?.(this.state, this));
    } else if (wasStarted && behaviour.terminate !== undefined) {
      const fault = this.#guard(() => behaviour.terminate?.(this.state, why, this));
      if (fault !== undefined) {
        why = { error: fault };
        this.#guard(() => behaviour.salvage?.(this.state, this));
      }
    }
    const crashed = !isOrderly(why);
    // The mailbox is kept only while there is a parent that may hand it on.
    const kept = this.keepMailbox && wasStarted && crashed && parent?.alive === true;
    this.status = kept ? 'limbo' : 'exited';
    system.processes.delete(this.id);
    if (this.name !== undefined && system.names.get(this.name) === this) system.names.delete(this.name);
    system.counters.exited++;
    if (crashed && !refused && (wasStarted || (typeof why === 'object' && 'error' in why))) {
      system.counters.crashed++;
      system.report(crashReport(this, why, about));
    }
    if (this.timers !== undefined) cancelTimers(this);
    if (culprit !== undefined) this.#guard(() => behaviour.undelivered?.(culprit.message, why, this.state));
    // What waits for a successor is told by this state that it is lost, should there be none.
    if (!kept) {
      this.#discardMailbox(why);
      this.state = undefined;
    }
    this.trace = undefined;
    const links = this.links;
    this.links = undefined;
    if (links !== undefined) {
      for (const other of links) {
        if (other.parent !== this) other.links?.delete(this);
        other.signal(this, why);
      }
    }
    dropMonitors(this);
    fireMonitors(this, why);
    if (parent !== undefined && wasStarted) {
      parent.links?.delete(this);
      parent.inform({ type: 'exit', from: this, reason: why } satisfies Exit);
    }
  }

  /** Runs a callback outside the scheduler's loop. Returns what it threw. */
  #guard(callback: () => void): Error | undefined {
    this.#busy = true;
    try {
      callback();
      return undefined;
    } catch (error) {
      return toError(error);
    } finally {
      this.#busy = false;
    }
  }
}

/** By which the restarts of a supervisor's children are counted: the same after its own restart. */
export function supervisorName({
  name,
  label,
  behaviour,
}: Pick<Process, 'name' | 'label' | 'behaviour'>): string {
  return name ?? label ?? behaviour.name;
}

function countRestart({ system, parent }: Process): void {
  if (parent === undefined) return;
  const supervisor = supervisorName(parent);
  system.restarts.set(supervisor, (system.restarts.get(supervisor) ?? 0) + 1);
}

/** How many links a report names; a supervisor may have thousands. */
const LINKS_NAMED = 10;

function crashReport(process: Process, reason: ExitReason, about: string | null): CrashReport {
  return {
    type: 'crash',
    pid: process.toString(),
    name: process.name ?? null,
    initialCall: process.behaviour.name,
    about,
    reason: describeReason(reason),
    stack: stackOf(reason),
    ancestors: ancestorsOf(process),
    mailboxLength: process.mailboxLength,
    links: [...(process.links ?? [])].slice(0, LINKS_NAMED).map(nameOf),
  };
}

/** The frames alone: the lines before them repeat the message, some line of which may look like a frame. */
function stackOf(reason: ExitReason): string[] {
  if (typeof reason !== 'object' || !('error' in reason)) return [];
  const { message, stack = '' } = reason.error;
  const lines = stack.slice(Math.max(0, stack.indexOf(message)) + message.length).split('\n');
  return lines.filter((line) => line.startsWith('    at ')).map((line) => line.trim());
}

function ancestorsOf(process: Process): string[] {
  const names: string[] = [];
  for (let at = process.parent; at !== undefined; at = at.parent) names.push(nameOf(at));
  return names;
}
