import { fstatSync } from 'node:fs';
import type { Socket } from 'node:net';
import { bytesTaken } from '../http/socket-bytes.ts';
import { type Behaviour, keep } from '../otp/behaviour.ts';
import { inform, type Pid, type Self, send } from '../otp/process.ts';
import { processName, sendNamed } from '../otp/registry.ts';
import type { System } from '../otp/system.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Sent } from './tcp-table.ts';

/**
 * Finds out what clients' machines have acknowledged, and which of them acknowledge nothing any more. An event stream has
 * nothing to answer with, and a comment to a machine that has vanished looks sent: the kernel has it, and tries for a
 * quarter of an hour. A WebSocket that reads slowly shows no progress here while the kernel has all that waits for it.
 * One look at the kernel's tables serves all connections that have asked by then.
 */
export const SILENCE = processName<SilenceMessage>('silence');

/** Answers `askSilence`. */
export interface Acknowledging {
  readonly type: 'acknowledging';
  /** What was sent is not acknowledged, though it has been sent again. */
  readonly silent: boolean;
  /** Bytes that were acknowledged since the beginning: between these two, as some may have been sent during the look. */
  readonly atLeast: number;
  readonly atMost: number;
}

/** Asks about the other side of a socket. Where it cannot be known, as on systems without these tables, no answer comes. */
export function askSilence(system: System, asker: Pid<Acknowledging>, socket: Socket): void {
  const inode = inodeOf(socket);
  if (inode !== null) sendNamed(system, SILENCE, { type: 'ask', asker, inode, socket });
}

interface Ask {
  readonly type: 'ask';
  readonly asker: Pid<Acknowledging>;
  readonly inode: number;
  readonly socket: Socket;
}

type SilenceMessage =
  | Ask
  | { readonly type: 'look' }
  /** Null: it cannot be seen. */
  | { readonly type: 'seen'; readonly sent: ReadonlyMap<number, Sent> | null };

interface State {
  readonly self: Self<SilenceMessage>;
  readonly read: (inodes: ReadonlySet<number>) => Promise<ReadonlyMap<number, Sent>>;
  asking: Ask[];
  /** And how many bytes the kernel had taken when the look began. */
  looking: { readonly ask: Ask; readonly taken: number }[];
  phase: 'idle' | 'gathering' | 'looking';
  lookedAt: number;
  /** When the next look may begin. */
  restsUntil: number;
}

/** Milliseconds in which the questions of about the same time are gathered. */
const GATHERING = 20;
/** The least time between two looks, in milliseconds. */
const PAUSE = 250;
/** A look takes the longer the more connections there are; so many times its own length passes before the next one. */
const PAUSE_FACTOR = 20;

/** `args`: reads what was sent to sockets. */
export const silenceServer: Behaviour<State['read'], State, SilenceMessage> = {
  name: 'silence-server',

  init: (self, read) => ({
    self,
    read,
    asking: [],
    looking: [],
    phase: 'idle',
    lookedAt: 0,
    restsUntil: 0,
  }),

  handle(state, message) {
    switch (message.type) {
      case 'ask':
        state.asking.push(message);
        if (state.phase === 'idle') gather(state);
        return keep;
      case 'look':
        look(state);
        return keep;
      case 'seen':
        seen(state, message.sent);
        return keep;
    }
  },
};

function gather(state: State): void {
  state.phase = 'gathering';
  sendAfter(state.self, Math.max(GATHERING, state.restsUntil - now(state.self)), { type: 'look' });
}

function look(state: State): void {
  const { self, asking } = state;
  state.phase = 'looking';
  state.lookedAt = now(self);
  state.looking = asking.map((ask) => ({ ask, taken: bytesTaken(ask.socket) }));
  state.asking = [];
  state.read(new Set(asking.map(({ inode }) => inode))).then(
    (sent) => inform(self, { type: 'seen', sent }),
    () => inform(self, { type: 'seen', sent: null }),
  );
}

function seen(state: State, sent: ReadonlyMap<number, Sent> | null): void {
  const { looking, asking, self } = state;
  state.looking = [];
  for (const { ask, taken } of looking) {
    const found = sent?.get(ask.inode);
    if (found === undefined) continue;
    const { silent, unacknowledged } = found;
    const [atLeast, atMost] = [taken - unacknowledged, bytesTaken(ask.socket) - unacknowledged];
    send(ask.asker, { type: 'acknowledging', silent, atLeast, atMost });
  }
  const end = now(self);
  state.restsUntil = end + Math.max(PAUSE, PAUSE_FACTOR * (end - state.lookedAt));
  state.phase = 'idle';
  if (asking.length > 0) gather(state);
}

/** Null: it has no descriptor, or none any more. */
function inodeOf(socket: Socket): number | null {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } | null };
  const fd = handle?.fd ?? -1;
  return fd < 0 ? null : fstatSync(fd).ino;
}
