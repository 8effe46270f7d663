import type { VitalsFrame } from '../door/peer/codec.ts';
import { VITALS_PERIOD, type Vitals, vitalsIn, vitalsText } from '../measure/vitals.ts';
import { type Behaviour, keep, type Next } from '../otp/behaviour.ts';
import { inform, type Pid, type Self } from '../otp/process.ts';
import { informNamed, processName } from '../otp/registry.ts';
import type { System } from '../otp/system.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Backplane } from './backplane.ts';
import type { RelayTable } from './relay-table.ts';

/**
 * Tells this relay's numbers over every link, to a link that has just been made at once and then every two seconds, and
 * notes what other relays tell of theirs. A relay that is alone measures and tells nothing.
 *
 * The table is the cluster's, and links do not depend on this process: should it crash, nobody is told for a moment.
 */
export const vitalsName = processName<VitalsMessage>('admin.vitals');

/** A link has been made: it is sent this relay's numbers. */
export function linked(system: System, link: Pid<VitalsFrame>): void {
  informNamed(system, vitalsName, { type: 'linked', link });
}

/** Another relay has told its numbers. What is none is left out. */
export function heard(system: System, node: string, text: string): void {
  informNamed(system, vitalsName, { type: 'heard', node, text });
}

/** Another relay has said goodbye. */
export function left(system: System, node: string): void {
  informNamed(system, vitalsName, { type: 'left', node });
}

export type VitalsMessage =
  | { readonly type: 'linked'; readonly link: Pid<VitalsFrame> }
  | { readonly type: 'heard'; readonly node: string; readonly text: string }
  | { readonly type: 'left'; readonly node: string }
  | { readonly type: 'tick' };

export interface VitalsArgs {
  readonly table: RelayTable;
  /** This relay's numbers now. */
  readonly own: () => Vitals;
  readonly backplane: Pick<Backplane, 'tellVitals'>;
  /** There is nobody to tell. */
  readonly alone: () => boolean;
}

interface State extends VitalsArgs {
  readonly self: Self<VitalsMessage>;
  isTicking: boolean;
}

export const vitalsServer: Behaviour<VitalsArgs, State, VitalsMessage> = {
  name: 'vitals-server',

  init(self, args) {
    const state = { ...args, self, isTicking: false };
    // The links were made before this process.
    inform(self, { type: 'tick' });
    return state;
  },

  handle(state, message): Next<State> {
    const { self, table, own, backplane } = state;
    switch (message.type) {
      case 'linked':
        inform(message.link, { type: 'vitals', text: vitalsText(own()) });
        tickLater(state);
        return keep;
      case 'heard': {
        const vitals = vitalsIn(message.text);
        if (vitals !== null) table.heard(message.node, vitals, now(self));
        return keep;
      }
      case 'left':
        table.left(message.node, now(self));
        return keep;
      case 'tick':
        state.isTicking = false;
        if (state.alone()) return keep;
        backplane.tellVitals(vitalsText(own()));
        tickLater(state);
        return keep;
    }
  },
};

function tickLater(state: State): void {
  if (state.isTicking) return;
  state.isTicking = true;
  sendAfter(state.self, VITALS_PERIOD, { type: 'tick' });
}
