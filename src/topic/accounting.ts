/**
 * What became of every message, counted exactly: `attempts = delivered + Σ dropped`, once nothing is under way. One
 * attempt is one message for one member. Plain numbers, because each delivery touches them; `metrics.ts` reads them.
 */
export interface Accounting {
  /** Messages taken from publishers. */
  messages: number;
  attempts: number;
  /** Handed to the kernel for a member. */
  delivered: number;
  readonly dropped: Record<DropReason, number>;
  /** Messages that were never fanned out to anybody, which makes no attempt. */
  readonly lost: Record<LossReason, number>;
}

/**
 * slow: the member was closed for not reading. closed: it left with messages still waiting. gone: its process was dead
 * or would take no more. undeliverable: its door cannot carry the message. crash: a process crashed on the message.
 * overflow: too much was waiting for a link to another relay. unlinked: there was no connection to that relay.
 */
export type DropReason = 'slow' | 'closed' | 'gone' | 'undeliverable' | 'crash' | 'overflow' | 'unlinked';

/**
 * unheard: no member. crash: the topic's server crashed on it, or for good with it. refused: nobody could take it.
 * unreachable: the relay that orders the topic could not be reached. stale: it came from one that has been replaced.
 */
export type LossReason = 'unheard' | 'crash' | 'refused' | 'unreachable' | 'stale';

export function newAccounting(): Accounting {
  return {
    messages: 0,
    attempts: 0,
    delivered: 0,
    dropped: { slow: 0, closed: 0, gone: 0, undeliverable: 0, crash: 0, overflow: 0, unlinked: 0 },
    lost: { unheard: 0, crash: 0, refused: 0, unreachable: 0, stale: 0 },
  };
}
