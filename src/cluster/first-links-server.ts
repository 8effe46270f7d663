import { type Behaviour, keep, type Next, starting } from '../otp/behaviour.ts';
import { type Self, started } from '../otp/process.ts';
import { informNamed, processName } from '../otp/registry.ts';
import type { System } from '../otp/system.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Backplane, LinkLog } from './backplane.ts';

/**
 * Has a relay's doors stay closed until the network is made: it has started when the relays that can be reached are linked
 * both ways, and the doors are started after it. A message that was acknowledged before would reach nobody at the others,
 * and a topic could be owned twice. No relay that hangs keeps the doors closed for longer than `limit`.
 */
export const firstLinksName = processName<FirstLinksMessage>('first-links');

/** A link is made now, or cannot be made now. */
export function linksChanged(system: System): void {
  informNamed(system, firstLinksName, { type: 'changed' });
}

export interface FirstLinksArgs {
  readonly backplane: Pick<Backplane, 'beingMade'>;
  /** Milliseconds. */
  readonly limit: () => number;
  readonly log: LinkLog;
}

export type FirstLinksMessage = { readonly type: 'changed' | 'late' };

interface State extends FirstLinksArgs {
  readonly self: Self<FirstLinksMessage>;
  readonly since: number;
  isWaiting: boolean;
}

export const firstLinksServer: Behaviour<FirstLinksArgs, State, FirstLinksMessage> = {
  name: 'first-links-server',

  init(self, args) {
    const isWaiting = args.backplane.beingMade().length > 0;
    const state = { ...args, self, since: now(self), isWaiting };
    if (!isWaiting) return state;
    sendAfter(self, args.limit(), { type: 'late' });
    return starting(state);
  },

  handle(state, { type }): Next<State> {
    if (!state.isWaiting) return keep;
    const { self, backplane, log, since } = state;
    const missing = backplane.beingMade();
    if (missing.length > 0 && type !== 'late') return keep;
    state.isWaiting = false;
    if (missing.length > 0)
      log.warn('doors open before all links are made', { waitedMs: Math.round(now(self) - since), missing });
    started(self);
    return keep;
  },
};
