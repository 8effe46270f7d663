import type { FanfareError } from './api.ts';
import type { Answer, Feed, ToldGap } from './feed.ts';
import { positionOf } from './position.ts';

/** A publish frame of the relay's. */
export interface Published {
  readonly content?: unknown;
  readonly at?: string;
}

/** One channel of a client: its subscriptions, and what the relay knows of them. */
export interface Channel {
  readonly name: string;
  wire(): 'off' | 'asked' | 'on';
  isEmpty(): boolean;
  /** Whether some subscription still needs an answer of the relay. */
  isWanting(): boolean;
  add(feed: Feed): void;
  remove(feed: Feed): void;
  /** The `since` of the subscribe that is about to be sent. */
  ask(): string | undefined;
  answered(answer: Answer): void;
  /** The connection is lost, or the relay cannot serve the channel now. */
  lost(): void;
  take(frame: Published): void;
  miss(gap: ToldGap): void;
  finish(error?: FanfareError): void;
}

export function newChannel(name: string): Channel {
  const feeds = new Set<Feed>();
  /** Those that the relay has not answered yet on this connection. */
  const open = new Set<Feed>();
  let wire: 'off' | 'asked' | 'on' = 'off';
  let asked: string | undefined;
  /** Where the channel stands. */
  let at: string | undefined;

  function settle(answer: Answer): void {
    for (const feed of open) if (feed.settle(asked, answer)) open.delete(feed);
  }

  return {
    name,
    wire: () => wire,
    isEmpty: () => !feeds.size,
    isWanting: () => open.size > 0,
    add(feed) {
      feeds.add(feed);
      open.add(feed);
      // The relay has no more to say of it than it has said.
      if (wire === 'on' && !(feed.since() && at)) {
        asked = feed.since();
        settle({ at });
      }
    },
    remove(feed) {
      feeds.delete(feed);
      open.delete(feed);
    },
    ask() {
      // Of the oldest: it heals without a gap. Others that need something else ask again.
      const [first] = open;
      wire = 'asked';
      asked = first?.since();
      return asked;
    },
    answered(answer) {
      at = answer.until ?? answer.at;
      wire = 'on';
      settle(answer);
    },
    lost() {
      wire = 'off';
      open.clear();
      for (const feed of feeds) open.add(feed);
    },
    take({ content, at: text }) {
      const position = positionOf(text);
      if (position) at = text;
      for (const feed of feeds) feed.take(content, position);
    },
    miss(gap) {
      at = gap.to ?? undefined;
      for (const feed of feeds) feed.miss(gap);
    },
    finish(error) {
      for (const feed of feeds) feed.finish(error);
    },
  };
}
