import type { Restart } from '../../src/otp/child-spec.ts';
import type { Strategy } from '../../src/otp/supervisor.ts';

/**
 * OTP's supervisor as a pure model, after `supervisor.erl`: it blocks while it stops and starts, so that whatever comes
 * meanwhile waits in its mailbox; it knows nothing of plans and deferral. Children stop at once when they are told to.
 */

export interface ModelSpec {
  readonly id: string;
  readonly restart: Restart;
}

interface Child extends ModelSpec {
  /** Which start of a child this is; undefined: it has no pid. A dead one keeps it until its exit has been seen. */
  incarnation: number | undefined;
  alive: boolean;
  /** OTP's `?restarting(Pid)`: its restart failed, and the next try is on its way. */
  restarting: boolean;
}

type Request = 'terminate' | 'restart' | 'delete' | 'start';

type Mail =
  | { readonly type: 'exit'; readonly incarnation: number; readonly orderly: boolean }
  | { readonly type: 'try-again'; readonly id: string }
  | {
      readonly type: Request;
      readonly spec: ModelSpec;
      readonly answer: (answer: string) => void;
    };

export class SupervisorModel {
  /** `+a` started, `!a` failed to start, `-a` ended. */
  readonly events: string[] = [];
  readonly failing: Map<string, number>;
  alive = true;
  /** When it gave up. */
  gaveUpAt: number | undefined;
  now = 0;
  #children: Child[];
  #restarts: number[] = [];
  #mailbox: Mail[] = [];
  #incarnations = 0;
  readonly #strategy: Strategy;
  readonly #intensity: number;
  readonly #period: number;

  constructor(
    flags: { readonly strategy: Strategy; readonly intensity: number; readonly period: number },
    specs: readonly ModelSpec[],
    failing: ReadonlyMap<string, number>,
  ) {
    this.#strategy = flags.strategy;
    this.#intensity = flags.intensity;
    this.#period = flags.period;
    this.failing = new Map(failing);
    this.#children = specs.map(newChild);
    if (this.#startAll(this.#children) !== undefined) this.#stop();
  }

  get specs(): string[] {
    return this.#children.map(({ id }) => id);
  }

  get living(): string[] {
    return this.#children.filter(({ alive }) => alive).map(({ id }) => id);
  }

  /** A child ends by itself. */
  end(id: string, orderly: boolean): void {
    const child = this.#find(id);
    if (child?.incarnation === undefined || !child.alive) return;
    child.alive = false;
    this.events.push(`-${id}`);
    this.#mailbox.push({ type: 'exit', incarnation: child.incarnation, orderly });
  }

  /** Someone calls the supervisor. */
  request(type: Request, spec: ModelSpec, answer: (answer: string) => void): void {
    if (this.alive) this.#mailbox.push({ type, spec, answer });
    else answer('down');
  }

  /** Handles all that is in the mailbox. */
  drain(): void {
    for (let mail = this.#mailbox.shift(); mail !== undefined; mail = this.#mailbox.shift()) {
      if (mail.type === 'exit') this.#onExit(mail.incarnation, mail.orderly);
      else if (mail.type === 'try-again') this.#onTryAgain(mail.id);
      else mail.answer(this.#onRequest(mail.type, mail.spec));
      if (!this.alive) {
        for (const left of this.#mailbox) if ('answer' in left) left.answer('down');
        this.#mailbox = [];
      }
    }
  }

  /** `do_restart/3`. */
  #onExit(incarnation: number, orderly: boolean): void {
    const child = this.#children.find((other) => other.incarnation === incarnation);
    if (child === undefined) return;
    if (child.restart === 'permanent' || (child.restart === 'transient' && !orderly)) this.#restart(child);
    else this.#delete(child);
  }

  #onTryAgain(id: string): void {
    const child = this.#find(id);
    if (child?.restarting) this.#restart(child);
  }

  /** `restart/2`, with `add_restart/1` and the clauses of `restart/3`. */
  #restart(child: Child): void {
    this.#restarts = [...this.#restarts, this.now].filter((time) => time >= this.now - this.#period);
    child.incarnation = undefined;
    if (this.#restarts.length > this.#intensity) {
      this.gaveUpAt = this.now;
      this.#stop();
      return;
    }
    let failed: Child | undefined;
    if (this.#strategy === 'one_for_one') {
      failed = this.#startAll([child]);
    } else {
      const from = this.#strategy === 'one_for_all' ? 0 : this.#children.indexOf(child);
      this.#terminateAll(this.#children.slice(from));
      failed = this.#startAll(this.#children.slice(from));
    }
    if (failed === undefined) return;
    failed.restarting = true;
    this.#mailbox.push({ type: 'try-again', id: failed.id });
  }

  #onRequest(type: Request, spec: ModelSpec): string {
    const child = this.#find(spec.id);
    if (type === 'start') {
      if (child !== undefined) return child.incarnation === undefined ? 'already_present' : 'already_started';
      const added = newChild(spec);
      this.#children.push(added);
      if (this.#startAll([added]) === undefined) return 'ok';
      this.#children.pop();
      return `${spec.id} cannot start`;
    }
    if (child === undefined) return 'not_found';
    if (type === 'terminate') {
      this.#terminateAll([child]);
      return 'ok';
    }
    if (child.restarting) return 'restarting';
    if (child.incarnation !== undefined) return 'running';
    if (type === 'delete') {
      this.#children.splice(this.#children.indexOf(child), 1);
      return 'ok';
    }
    return this.#startAll([child]) === undefined ? 'ok' : `${spec.id} cannot start`;
  }

  /** `start_children/2`: in order, up to the first that fails, which is returned. */
  #startAll(children: readonly Child[]): Child | undefined {
    for (const child of children) {
      const left = this.failing.get(child.id) ?? 0;
      if (left > 0) {
        this.failing.set(child.id, left - 1);
        this.events.push(`!${child.id}`);
        return child;
      }
      child.incarnation = ++this.#incarnations;
      child.alive = true;
      child.restarting = false;
      this.events.push(`+${child.id}`);
    }
    return undefined;
  }

  /** `terminate_children/2`: backwards; whoever is dead already has its exit taken out of the mailbox. */
  #terminateAll(children: readonly Child[]): void {
    for (const child of children.toReversed()) {
      if (child.alive) this.events.push(`-${child.id}`);
      child.alive = false;
      child.restarting = false;
      this.#mailbox = this.#mailbox.filter(
        (mail) => mail.type !== 'exit' || mail.incarnation !== child.incarnation,
      );
      child.incarnation = undefined;
      if (child.restart === 'temporary') this.#children.splice(this.#children.indexOf(child), 1);
    }
  }

  /** `del_child/2`: a temporary child goes with its spec. */
  #delete(child: Child): void {
    child.incarnation = undefined;
    if (child.restart === 'temporary') this.#children.splice(this.#children.indexOf(child), 1);
  }

  #stop(): void {
    this.#terminateAll([...this.#children]);
    this.alive = false;
  }

  #find(id: string): Child | undefined {
    return this.#children.find((child) => child.id === id);
  }
}

function newChild({ id, restart }: ModelSpec): Child {
  return { id, restart, incarnation: undefined, alive: false, restarting: false };
}
