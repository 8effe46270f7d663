import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { type Behaviour, keep } from '../otp/behaviour.ts';
import { watch } from '../otp/monitor.ts';
import type { Self } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import { stallWatcherScript } from './stall-watcher.ts';

/**
 * Notices what a process of the relay cannot tell by itself: an event loop that stands still, which another thread
 * reports while it does, and a heap that is nearly full, at which new connections are turned away first.
 *
 * The beats are messages of this process: a scheduler that hands out no turn is as bad as a loop that does not turn.
 */
export interface WatchdogArgs {
  readonly node: string;
  readonly stalls: Stalls;
  /** Where the other thread may write a line, how, and with what in front of it; null: nowhere. */
  readonly raw: {
    readonly descriptor: number | null;
    readonly pretty: boolean;
    readonly prefix: string;
  } | null;
  /** Milliseconds without a beat that are a stall. */
  readonly threshold: number;
  /** Turns new connections away, or lets them in again. */
  readonly shed: (on: boolean) => void;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Bytes in use, and the most that there can be; `young` is the size of V8's young generation in MiB. Default: V8's old generation. */
  readonly heap?: (young: number | undefined) => Heap;
}

export type WatchdogMessage = { readonly type: 'beat' };

interface State extends Required<WatchdogArgs> {
  readonly worker: Worker;
  shedding: boolean;
  lastBeat: number;
  /** Milliseconds between the last two beats. */
  silence: number;
  /** Stalls whose end was said. */
  said: number;
}

/** The default threshold, in milliseconds. */
export const STALL = 1000;
/** Parts of the heap's limit at which new connections are shed, and let in again. */
const SHED_ABOVE = 0.9;
const SHED_BELOW = 0.8;
const BEATS_PER_THRESHOLD = 4;

export const watchdog: Behaviour<WatchdogArgs, State, WatchdogMessage> = {
  name: 'watchdog',

  init(self, args) {
    const { stalls, raw, node, threshold } = args;
    const worker = new Worker(stallWatcherScript, {
      eval: true,
      execArgv: [],
      workerData: {
        shared: stalls.shared,
        threshold,
        descriptor: raw?.descriptor ?? null,
        pretty: raw?.pretty ?? false,
        prefix: raw?.prefix ?? '',
        node,
        pid: process.pid,
        silent: raw === null,
      },
    });
    worker.unref();
    // However it ends, killed included: one thread watches.
    watch(self, () => {
      void worker.terminate();
      args.shed(false);
    });
    worker.on('error', (error) => args.warn('the watchdog thread has ended', { error: error.message }));
    beat(self, args);
    const heap = args.heap ?? longLivedHeap;
    const said = stalls.count;
    return { ...args, heap, worker, shedding: false, lastBeat: now(self), silence: 0, said };
  },

  handle(state, _message, self) {
    const time = now(self);
    const silence = time - state.lastBeat;
    const { count } = state.stalls;
    // What the thread has reported is over now, however short; where it stood still as well, nobody else says it. It may
    // have made up its mind just as the beat came that was late: then the silence is the one before.
    if (count !== state.said || silence - state.threshold / BEATS_PER_THRESHOLD >= state.threshold) {
      const stalledFor = count === state.said ? silence : Math.max(silence, state.silence);
      state.warn('event loop was stalled', { stalledForMs: Math.round(stalledFor) });
    }
    state.said = count;
    state.lastBeat = time;
    state.silence = silence;
    beat(self, state);
    watchHeap(state);
    return keep;
  },
};

function beat(self: Self<WatchdogMessage>, { stalls, threshold }: WatchdogArgs): void {
  stalls.beat();
  sendAfter(self, threshold / BEATS_PER_THRESHOLD, { type: 'beat' });
}

function watchHeap(state: State): void {
  // Every thread is given the limits that this one has; V8 tells of no other's.
  const { used, limit } = state.heap(state.worker.resourceLimits?.maxYoungGenerationSizeMb);
  const part = used / limit;
  if (state.shedding ? part >= SHED_BELOW : part < SHED_ABOVE) return;
  state.shedding = !state.shedding;
  state.shed(state.shedding);
  const fields = { heapUsedBytes: used, heapLimitBytes: limit };
  state.warn(
    state.shedding ? 'heap nearly full: new connections are refused' : 'heap has room again',
    fields,
  );
}

const MIB = 1024 * 1024;

/**
 * Bytes in use of what V8 keeps for longer, and the most that there can be of it. When that is full the process ends,
 * however much the young generation, which counts in the heap's own limit, has left: with a limit of 512 MiB that is at
 * 0.87 of it. `young`: MiB of the young generation, as V8 would choose; it differs from version to version. Undefined, or
 * below zero: not known yet.
 */
export function longLivedHeap(young?: number): Heap {
  let used = 0;
  for (const { space_name: name, space_used_size: size } of getHeapSpaceStatistics())
    if (!name.startsWith('new_')) used += size;
  const { heap_size_limit: whole } = getHeapStatistics();
  return { used, limit: whole - (youngByFlags(FLAGS, whole) ?? (young ? Math.max(young, 0) * MIB : 0)) };
}

interface Heap {
  readonly used: number;
  readonly limit: number;
}

/** Bytes of the young generation, by flags for a heap of `whole`. Undefined: V8 chooses without regard to the heap. */
export function youngByFlags(flags: readonly string[], whole: number): number | undefined {
  const semiSpace = megabytes(flags, 'max-semi-space-size');
  if (semiSpace > 0) return 3 * MIB * semiSpace;
  // V8 divides a heap of a given size; this is a little more than the part that it takes.
  return megabytes(flags, 'max-heap-size') > 0 ? whole / 16 : undefined;
}

/** The last one counts. */
function megabytes(flags: readonly string[], name: string): number {
  const values = flags
    .map((flag) => flag.replaceAll('_', '-'))
    .filter((flag) => flag.startsWith(`--${name}=`));
  return Number(values.at(-1)?.split('=')[1] ?? 0);
}

const FLAGS = [...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/), ...process.execArgv];

const BEATS = 0;
const STALLS = 1;
const STALLED = 2;

/** Stalls of the event loop: what the watchdog and the thread that watches for it share. */
export class Stalls {
  readonly shared = new Int32Array(new SharedArrayBuffer(12));

  /** The event loop has had a turn. */
  beat(): void {
    Atomics.add(this.shared, BEATS, 1);
  }

  /** Stalls so far. */
  get count(): number {
    return Atomics.load(this.shared, STALLS);
  }

  get now(): boolean {
    return Atomics.load(this.shared, STALLED) === 1;
  }
}
