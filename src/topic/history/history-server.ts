import { type Behaviour, keep } from '../../otp/behaviour.ts';
import type { Self } from '../../otp/process.ts';
import { now, sendAfter } from '../../otp/timer.ts';
import type { Histories } from './histories.ts';

/**
 * Lets go of kept messages that have become too old, once a second. Who asks for them gets none of those anyway: this is
 * for the memory of topics that nobody publishes to any more.
 */
export interface HistoryMessage {
  readonly type: 'sweep';
}

const PERIOD = 1000;

interface State {
  readonly self: Self<HistoryMessage>;
  readonly histories: Histories;
}

export const historyServer: Behaviour<Histories, State, HistoryMessage> = {
  name: 'history-server',

  init(self, histories) {
    sendAfter(self, PERIOD, { type: 'sweep' });
    return { self, histories };
  },

  handle({ self, histories }) {
    histories.sweep(now(self));
    sendAfter(self, PERIOD, { type: 'sweep' });
    return keep;
  },
};
