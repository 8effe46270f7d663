import type { Sequencer } from '../../topic/message.ts';

/** The epoch in which this relay gives messages their order, and the highest of any relay that it has heard of. */
export class Epochs {
  highest = 1;
  /** This relay as one that gives messages their order. The same object until the next epoch. */
  sequencer: Sequencer;

  constructor(node: string) {
    this.sequencer = { node, epoch: 1 };
  }

  /** Other relays are live than before: whoever sequences from here on comes after all that was. */
  next(): void {
    this.sequencer = { node: this.sequencer.node, epoch: ++this.highest };
  }

  /** Another relay has told of an epoch. */
  heard(epoch: number): void {
    this.highest = Math.max(this.highest, epoch);
  }
}
