import type { Plugins } from '../authenticator/plugin.ts';
import { type Behaviour, keep, type Next } from '../otp/behaviour.ts';
import { call, type Reply } from '../otp/call.ts';
import { type ChildSpec, worker } from '../otp/child-spec.ts';
import { isOrderly, toError } from '../otp/exit-reason.ts';
import type { Prepared, Ready } from '../otp/prepared.ts';
import { inform, isAlive, type Self } from '../otp/process.ts';
import { processName, whereis } from '../otp/registry.ts';
import { supervisor } from '../otp/supervisor.ts';
import type { System } from '../otp/system.ts';
import { inOwnWords, type Reloaded } from '../view/relay-view.ts';
import type { Load, Loaded, Plan, Reloadable, RunningConfig, Step } from './running-config.ts';

/**
 * Takes a new configuration, and one after the other: two at once would both start from the same old state. All parts make
 * ready what may fail, one by one, and only then all of them commit; on a fault what was made ready is undone, and nothing
 * has changed. The configuration has been validated as a whole before: a bad one never gets here. A throw on the way, be it of a
 * part or of what reads the files, crashes this process alone: whoever asked is told, and the relay goes on.
 */

export interface ReloadArgs {
  readonly running: RunningConfig;
  readonly parts: readonly Reloadable[];
  /** Has files read again whose names are as they were: their content may have changed. */
  readonly reread: () => void;
  readonly log: ReloadLog;
}

export interface ReloadLog {
  note(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

const SERVER = processName<ReloadMessage>('reload');
/** Crashes within 10 seconds after which no reload is possible any more: each was asked for by somebody. */
const INTENSITY = { intensity: 100, period: 10_000 };

/** `reloading`: a supervisor over the reload server. When it has used up its restarts it stays down, and the relay lives on. */
export function reloadSpec(args: ReloadArgs): ChildSpec {
  const children = [worker('reload', reloadServer, args, { name: SERVER })];
  return supervisor('reloading', { strategy: 'one_for_one', ...INTENSITY }, children, {
    restart: 'transient',
  });
}

/** Takes what `load` reads when its turn has come. `by`: who asks, for the log. Never rejects. */
export async function reload(system: System, load: Load, by?: string): Promise<Reloaded> {
  const server = whereis(system, SERVER);
  if (server === undefined) return notReloaded(['the process that reloads is not there']);
  return await call<ReloadMessage, Reloaded>(
    server,
    (reply) => ({ type: 'reload', load, by, reply }),
    0,
  ).catch(() => notReloaded([CRASHED]));
}

/** What was thrown is in the crash report. */
const CRASHED = 'the reload has crashed, as the log says';

function notReloaded(errors: Reloaded['errors']): Reloaded {
  return { ok: false, errors, applied: [], reread: [], needsRestart: [] };
}

interface Request {
  readonly load: Load;
  readonly by: string | undefined;
  readonly reply: Reply<Reloaded>;
}

type ReloadMessage =
  | (Request & { readonly type: 'reload' })
  | { readonly type: 'loaded'; readonly loaded: Loaded }
  | { readonly type: 'prepared'; readonly prepared: Prepared }
  | { readonly type: 'committed' }
  | { readonly type: 'undone'; readonly faults: readonly string[] }
  | { readonly type: 'failed'; readonly error: unknown };

/** A plan that is being carried out, and what has come of it so far. */
interface Progress extends Plan {
  readonly plugins: Plugins;
  /** Steps that are still to be prepared; the first one is under way. */
  readonly left: Step[];
  /** What is ready, and is still to be committed or undone. */
  readonly ready: Ready[];
  readonly faults: string[];
}

interface State extends ReloadArgs {
  readonly self: Self<ReloadMessage>;
  /** Requests in the order in which they came; the first is being carried out. */
  readonly requests: Request[];
  progress: Progress | null;
}

const reloadServer: Behaviour<ReloadArgs, State, ReloadMessage> = {
  name: 'reload-server',

  init: (self, args) => ({ ...args, self, requests: [], progress: null }),

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'reload':
        state.requests.push(message);
        if (state.requests.length === 1) begin(state);
        return keep;
      case 'loaded':
        onLoaded(state, message.loaded);
        return keep;
      case 'prepared':
        onPrepared(state, message.prepared);
        return keep;
      case 'committed':
        if (state.progress !== null) commit(state, state.progress);
        return keep;
      case 'undone':
        state.progress?.faults.push(...message.faults);
        if (state.progress !== null) undo(state, state.progress);
        return keep;
      case 'failed':
        throw toError(message.error);
    }
  },

  terminate({ requests, log, progress }, reason) {
    void undone(progress?.ready ?? []);
    if (requests.length > 0 && !isOrderly(reason)) tell(log, notReloaded([CRASHED]), requests[0]?.by);
  },

  salvage({ progress }) {
    void undone(progress?.ready ?? []);
  },
};

/** Undoes what nobody will commit any more: the process has ended. Never rejects. */
async function undone(ready: readonly Ready[]): Promise<void> {
  for (const { undo } of ready.toReversed()) {
    try {
      await undo();
    } catch {
      // The crash that is in the log already came first.
    }
  }
}

function begin(state: State): void {
  const [request] = state.requests;
  if (request !== undefined) attempt(state, request.load, (loaded) => ({ type: 'loaded', loaded }));
}

/** Runs `work`; its outcome comes back to this process as a message. Where it has ended meanwhile, what was made ready is undone. */
function attempt<T>({ self }: State, work: () => T | Promise<T>, message: (value: T) => ReloadMessage): void {
  void new Promise<T>((resolve) => resolve(work())).then(
    (value) => {
      const outcome = message(value);
      if (isAlive(self)) inform(self, outcome);
      else if (outcome.type === 'prepared' && outcome.prepared.faults === null)
        void undone([outcome.prepared]);
    },
    (error: unknown) => inform(self, { type: 'failed', error }),
  );
}

function onLoaded(state: State, loaded: Loaded): void {
  if (!loaded.ok) {
    finish(state, notReloaded(loaded.errors));
    return;
  }
  const plan = state.running.plan(loaded.config, state.parts, loaded.effective);
  const plugins = loaded.plugins ?? new Map();
  state.progress = { ...plan, plugins, left: [...plan.steps], ready: [], faults: [] };
  prepare(state, state.progress);
}

function prepare(state: State, progress: Progress): void {
  const { next, plugins, left, faults } = progress;
  const [step] = left;
  if (step !== undefined) {
    attempt(
      state,
      () => step.part.prepare(next, step.keys, plugins),
      (prepared) => ({ type: 'prepared', prepared }),
    );
    return;
  }
  if (faults.length > 0) undo(state, progress);
  else commit(state, progress);
}

function onPrepared(state: State, prepared: Prepared): void {
  const { progress } = state;
  if (progress === null) return;
  progress.left.shift();
  // The other parts are asked all the same: an operator wants to hear of all faults at once.
  if (prepared.faults === null) progress.ready.push(prepared);
  else progress.faults.push(...prepared.faults);
  prepare(state, progress);
}

function commit(state: State, progress: Progress): void {
  const ready = progress.ready.shift();
  if (ready === undefined) finish(state, state.running.finish(progress, []));
  else attempt(state, ready.commit, () => ({ type: 'committed' }));
}

function undo(state: State, progress: Progress): void {
  const ready = progress.ready.pop();
  if (ready === undefined) finish(state, state.running.finish(progress, progress.faults));
  else attempt(state, ready.undo, (faults) => ({ type: 'undone', faults }));
}

function finish(state: State, reloaded: Reloaded): void {
  if (reloaded.ok) state.reread();
  tell(state.log, reloaded, state.requests[0]?.by);
  state.progress = null;
  state.requests.shift()?.reply(reloaded);
  begin(state);
}

function tell(log: ReloadLog, reloaded: Reloaded, by: string | undefined): void {
  const { ok, ...told } = inOwnWords(reloaded);
  const result = by === undefined ? told : { by, ...told };
  if (ok) log.note('reloaded', result);
  else log.warn('not reloaded', result);
}
