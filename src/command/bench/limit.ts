/** What a run was like, as far as it tells what kept it from being faster. Shares are from 0 to 1. */
export interface Strain {
  /** Messages per second that were asked for; null: as many as possible. */
  readonly asked: number | null;
  /** Messages per second that were sent. */
  readonly achieved: number;
  /** How busy the busiest process of the command was. */
  readonly ownBusy: number;
  /** How busy the relay's event loop was; null: the command cannot look into that relay. */
  readonly relayBusy: number | null;
  /** The part of the time for which senders waited for the relay's answers. */
  readonly waiting: number;
}

/** From this share on an event loop has hardly a turn to spare. */
const BUSY = 0.9;
/** A rate within one in a hundred is held. */
const HELD = 0.99;
const WAITING = 0.5;

/** The limit that bites, in words. */
export function limitOf({ asked, achieved, ownBusy, relayBusy, waiting }: Strain): string {
  const percent = (share: number) => `${Math.round(share * 100)} % busy`;
  const relay =
    relayBusy === null ? 'the relay cannot be looked into from here' : `the relay ${percent(relayBusy)}`;
  if (asked !== null && achieved >= asked * HELD)
    return `the rate that was asked for: nothing else was reached (${relay}, this command ${percent(ownBusy)})`;
  if (relayBusy !== null && relayBusy >= BUSY && relayBusy >= ownBusy)
    return `the relay: its event loop was ${percent(relayBusy)}`;
  if (ownBusy >= BUSY)
    return `this command: a process of it was ${percent(ownBusy)}; --procs spreads it over more`;
  if (waiting >= WAITING)
    return `the relay's answers, for which the publishers waited: its readers, limits.publish_rate, or the way there (${relay})`;
  return `none that is seen from here (${relay}, this command ${percent(ownBusy)}): the machine may be short of processors`;
}
