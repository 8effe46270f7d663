import { fstatSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type Behaviour, keep } from '../otp/behaviour.ts';
import { inform, type Pid, type Self, send } from '../otp/process.ts';
import { processName, sendNamed } from '../otp/registry.ts';
import type { System } from '../otp/system.ts';
import { now, sendAfter } from '../otp/timer.ts';

/**
 * Finds out which clients' machines acknowledge nothing any more. A WebSocket is asked by a ping; an event stream has
 * nothing to answer with, and a comment to a machine that has vanished looks sent: the kernel has it, and tries for a
 * quarter of an hour. One look at the kernel's tables serves all who have asked by then.
 */
export const SILENCE = processName<SilenceMessage>('silence');

/** Answers `askSilence`. */
export interface Acknowledging {
  readonly type: 'acknowledging';
  /** What was sent is not acknowledged, though it has been sent again. */
  readonly silent: boolean;
}

/** Asks about the other side of a socket. Where it cannot be known, as on systems without these tables, no answer comes. */
export function askSilence(system: System, asker: Pid<Acknowledging>, socket: Socket): void {
  const inode = inodeOf(socket);
  if (inode !== null) sendNamed(system, SILENCE, { type: 'ask', asker, inode });
}

type SilenceMessage =
  | { readonly type: 'ask'; readonly asker: Pid<Acknowledging>; readonly inode: number }
  | { readonly type: 'look' }
  /** Null: it cannot be seen. */
  | { readonly type: 'seen'; readonly silent: ReadonlySet<number> | null };

interface State {
  readonly self: Self<SilenceMessage>;
  readonly read: () => Promise<ReadonlySet<number>>;
  /** By the inodes of their sockets. */
  asking: Map<number, Pid<Acknowledging>>;
  looking: Map<number, Pid<Acknowledging>>;
  phase: 'idle' | 'gathering' | 'looking';
  lookedAt: number;
  /** Milliseconds until the next look. */
  pause: number;
}

/** The least time between two looks, in milliseconds. */
const PAUSE = 1000;
/** A look takes the longer the more connections there are; so many times its own length passes before the next one. */
const PAUSE_FACTOR = 20;

/** `args`: reads the inodes of the sockets whose other side is silent. */
export const silenceServer: Behaviour<State['read'], State, SilenceMessage> = {
  name: 'silence-server',

  init: (self, read) => ({
    self,
    read,
    asking: new Map(),
    looking: new Map(),
    phase: 'idle',
    lookedAt: 0,
    pause: PAUSE,
  }),

  handle(state, message) {
    switch (message.type) {
      case 'ask':
        state.asking.set(message.inode, message.asker);
        if (state.phase === 'idle') gather(state);
        return keep;
      case 'look':
        look(state);
        return keep;
      case 'seen':
        seen(state, message.silent);
        return keep;
    }
  },
};

function gather(state: State): void {
  state.phase = 'gathering';
  sendAfter(state.self, state.pause, { type: 'look' });
}

function look(state: State): void {
  const { self } = state;
  state.phase = 'looking';
  state.lookedAt = now(self);
  state.looking = state.asking;
  state.asking = new Map();
  state.read().then(
    (silent) => inform(self, { type: 'seen', silent }),
    () => inform(self, { type: 'seen', silent: null }),
  );
}

function seen(state: State, silent: ReadonlySet<number> | null): void {
  const { looking, asking, self } = state;
  state.looking = new Map();
  if (silent !== null)
    for (const [inode, asker] of looking) send(asker, { type: 'acknowledging', silent: silent.has(inode) });
  state.pause = Math.max(PAUSE, PAUSE_FACTOR * (now(self) - state.lookedAt));
  state.phase = 'idle';
  if (asking.size > 0) gather(state);
}

/** Null: it has no descriptor, or none any more. */
function inodeOf(socket: Socket): number | null {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } | null };
  const fd = handle?.fd ?? -1;
  return fd < 0 ? null : fstatSync(fd).ino;
}
