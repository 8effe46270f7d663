import { type Behaviour, keep, type Next, starting } from '../otp/behaviour.ts';
import { call } from '../otp/call.ts';
import { type Self, started } from '../otp/process.ts';
import { informNamed, processName, whereis } from '../otp/registry.ts';
import type { System } from '../otp/system.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Backplane, LinkLog } from './backplane.ts';

/**
 * Knows when the network is made: when the relays that can be reached are linked both ways. A relay's doors are started
 * after this process, which has started then: a message that was acknowledged before would reach nobody at the others, and a
 * topic could be owned twice. A reload of the list of relays waits for it, too. No relay that hangs keeps anybody waiting for
 * longer than `limit`.
 */
export const firstLinksName = processName<FirstLinksMessage>('first-links');

/** A link is made now, or cannot be made now. */
export function linksChanged(system: System): void {
  informNamed(system, firstLinksName, { type: 'changed' });
}

/** Resolves when the links are made, or the limit is over. */
export async function linksMade(system: System): Promise<void> {
  const server = whereis(system, firstLinksName);
  if (server === undefined) return;
  // Where it crashes, links are made all the same.
  await call<FirstLinksMessage, void>(server, (done) => ({ type: 'wait', done }), 0).catch(() => undefined);
}

export interface FirstLinksArgs {
  readonly backplane: Pick<Backplane, 'beingMade'>;
  /** Milliseconds. */
  readonly limit: () => number;
  readonly log: LinkLog;
}

export type FirstLinksMessage =
  | { readonly type: 'changed' }
  | { readonly type: 'wait'; readonly done: () => void }
  | { readonly type: 'late'; readonly waiting: Waiting };

interface Waiting {
  readonly since: number;
  readonly done: () => void;
}

interface State extends FirstLinksArgs {
  readonly self: Self<FirstLinksMessage>;
  waiting: Waiting[];
}

export const firstLinksServer: Behaviour<FirstLinksArgs, State, FirstLinksMessage> = {
  name: 'first-links-server',

  init(self, args) {
    const state: State = { ...args, self, waiting: [] };
    if (args.backplane.beingMade().length === 0) return state;
    wait(state, () => started(self));
    return starting(state);
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'wait':
        wait(state, message.done);
        look(state);
        return keep;
      case 'changed':
        if (state.waiting.length > 0) look(state);
        return keep;
      case 'late':
        if (state.waiting.includes(message.waiting)) giveUp(state, message.waiting);
        return keep;
    }
  },
};

function wait(state: State, done: () => void): void {
  const { self, limit } = state;
  const waiting = { since: now(self), done };
  state.waiting.push(waiting);
  sendAfter(self, limit(), { type: 'late', waiting });
}

function look(state: State): void {
  if (state.backplane.beingMade().length > 0) return;
  for (const { done } of state.waiting.splice(0)) done();
}

function giveUp(state: State, waiting: Waiting): void {
  const { backplane, log, self } = state;
  state.waiting = state.waiting.filter((one) => one !== waiting);
  const waitedMs = Math.round(now(self) - waiting.since);
  const missing = backplane.beingMade();
  if (missing.length > 0) log.warn('some links are not made', { waitedMs, missing });
  waiting.done();
}
