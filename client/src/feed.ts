import type { FanfareError, Gap, Message, SubscribeOptions, Subscription } from './api.ts';
import { call } from './call.ts';
import { isUpTo, type Position, positionOf, textOf } from './position.ts';

type Item = Message | Gap;

/** What the relay says of a channel: where it stands, and what became of a `since`. */
export interface Answer {
  /** What follows begins behind this one. */
  readonly at?: string | undefined;
  /** What follows up to this one was there before. */
  readonly until?: string;
  /** Only to a position: whether all that was missed follows. */
  readonly recovered?: boolean;
  /** How many do not, where it does not. */
  readonly missed?: number | null;
  readonly why?: string;
}

/** What the relay says of messages that will not come. */
export interface ToldGap {
  readonly from?: string | null;
  readonly to?: string | null;
  readonly missed?: number | null;
  readonly why?: string;
}

interface Reader {
  resolve(result: IteratorResult<Item, undefined>): void;
  reject(error: FanfareError): void;
}

/** What a feed has of its client. */
export interface FeedOwner {
  /** Whether the socket can be told to wait. */
  canPause(): boolean;
  /** More than enough waits for its loop, or no longer. */
  filled(full: boolean): void;
  ended(): void;
}

/** What may still come when the socket is paused, or is read for the sake of an answer: more than that is left out. */
const READ_AHEAD = 10_000;

/**
 * One subscription: where it stands in the order of its channel, and what waits for its reader. Whatever the connections below
 * do, each message reaches the reader once and in order, or is counted in one gap.
 */
export interface Feed extends Subscription {
  /** What it has to ask the relay for. */
  since(): string | undefined;
  /**
   * The relay has answered a subscribe with `asked` as its `since`. Returns false if that was not what this feed needs: it has to
   * ask for itself, and what comes until then is not for it.
   */
  settle(asked: string | undefined, answer: Answer): boolean;
  take(content: unknown, at: Position | undefined): void;
  miss(gap: ToldGap): void;
  /** Nothing comes any more. With an error its loop throws it, once what waits is read. */
  finish(error?: FanfareError): void;
}

export function newFeed(channel: string, options: SubscribeOptions, owner: FeedOwner): Feed {
  const buffer = options.buffer || 1000;
  const wish = options.since === 'now' ? undefined : options.since;
  const listeners = new Set<(event: Item) => void>();
  const queue: Item[] = [];
  const readers: Reader[] = [];
  /** The relay has answered it, at some time. */
  let joined = false;
  /** What comes is for it. */
  let live = false;
  /** Where it stands: at the message that it took last, or where its first one will begin. */
  let at = positionOf(wish);
  /** What is in its line up to here is of the past. */
  let pastEnd = 0;
  /** So many of the numbers up to there are known to be missing, and told; NaN: some may be. */
  let told = 0;
  let looped = false;
  let full = false;
  let over = false;
  let fault: FanfareError | undefined;
  /** Where the reader stands, while more waits for it. */
  let read: string | undefined;
  /** Messages that were left out of what waits, before the rest of it (NaN: nobody knows), and the position of the last. */
  let lost = 0;
  let lostTo: string | undefined;
  let answered!: () => void;
  let failed!: (error: FanfareError) => void;
  const ready = new Promise<void>((resolve, reject) => {
    answered = resolve;
    failed = reject;
  });
  // Whoever does not ask is not told.
  ready.catch(() => {});

  function since(): string | undefined {
    return textOf(at) ?? (joined ? undefined : wish);
  }

  function stand(next: Position | undefined, last = 0, missing = 0): void {
    at = next;
    pastEnd = last;
    told = Math.max(0, missing);
    if (!queue.length) read = textOf(at);
  }

  function hand(reader: Reader, value: Item): void {
    read = placeOf(value) ?? read;
    reader.resolve({ value, done: false });
  }

  function close({ resolve, reject }: Reader): void {
    if (fault) reject(fault);
    else resolve({ value: undefined, done: true });
  }

  function push(item: Item): void {
    for (const listener of listeners) call(listener, item);
    const reader = readers.shift();
    if (reader) hand(reader, item);
    else if (looped || !listeners.size) wait(item);
  }

  function wait(item: Item): void {
    const pauses = looped && options.overflow !== 'gap' && owner.canPause();
    queue.push(item);
    if (pauses && queue.length >= buffer) fill(true);
    if (queue.length <= buffer + (pauses ? READ_AHEAD : 0)) return;
    const oldest = queue.shift() as Item;
    lost += oldest.type === 'gap' ? Number(oldest.missed) : 1;
    lostTo = placeOf(oldest);
  }

  /** The next of what waits. */
  function nextItem(): Item | undefined {
    if (lost === 0) return queue.shift();
    const gap = gapOf(read, lostTo, lost, 'overflow');
    lost = 0;
    return gap;
  }

  function fill(isFull: boolean): void {
    if (isFull !== full) owner.filled(isFull);
    full = isFull;
  }

  function finish(error?: FanfareError): void {
    if (over) return;
    over = true;
    fault = error;
    if (error) {
      failed(error);
      if (joined) push(gapOf(since(), undefined, undefined, error.why));
    }
    answered();
    fill(false);
    for (const reader of readers.splice(0)) close(reader);
    listeners.clear();
  }

  async function end(): Promise<void> {
    if (over) return;
    queue.length = lost = 0;
    finish();
    owner.ended();
  }

  return {
    channel,
    ready,
    get position() {
      return queue.length ? read : textOf(at);
    },
    since,
    settle(asked, { at: text, until = text, recovered, missed, why = 'disconnected' }) {
      const own = since();
      const next = positionOf(own ? text : until);
      live = !(next && own && own !== asked);
      if (!live) return false;
      let missing = 0;
      if ((at || joined) && !recovered) {
        const count = missed ?? Number.NaN;
        const more = count - (told || 0);
        if (!told || !(more <= 0)) push(gapOf(own, text, more, why));
        // Some of them lie before what follows; the others lie in it.
        const passed = at && next ? next.offset - at.offset : -1;
        missing = passed < 0 ? Number.NaN : count - passed;
      }
      joined = true;
      stand(next, positionOf(until)?.offset, missing);
      answered();
      return true;
    },
    take(content, next) {
      if (!live || isUpTo(next, at)) return;
      const isSame = next?.epoch === at?.epoch;
      const replayed = !!next && isSame && next.offset <= pastEnd;
      if (next) {
        const skipped = at ? next.offset - at.offset - 1 : 0;
        const left = told - skipped;
        if (isSame ? left < 0 : skipped) push(gapOf(textOf(at), undefined, isSame ? -left : undefined));
        told = replayed ? Math.max(0, left) : 0;
        at = next;
      }
      const text = textOf(next);
      push({ type: 'message', content, replayed, ...(text && { at: text }) });
    },
    miss({ from, to, missed, why }) {
      const next = positionOf(to);
      if (!live) return;
      push(gapOf(from ?? textOf(at), to, missed ?? undefined, why));
      stand(next);
    },
    finish,
    on(listener) {
      listeners.add(listener);
      if (!looped) for (let item = nextItem(); item; item = nextItem()) call(listener, item);
      return () => listeners.delete(listener);
    },
    end,
    [Symbol.asyncDispose]: end,
    [Symbol.asyncIterator]() {
      looped = true;
      return {
        next: () =>
          new Promise((resolve, reject) => {
            const reader = { resolve, reject };
            const value = nextItem();
            if (value) hand(reader, value);
            else if (over) close(reader);
            else readers.push(reader);
            if (queue.length <= buffer / 2) fill(false);
          }),
        async return() {
          await end();
          return { value: undefined, done: true };
        },
      };
    },
  };
}

/** `missed`: NaN where nobody knows. */
function gapOf(
  from: string | undefined,
  to: string | null | undefined,
  missed = Number.NaN,
  why = 'unknown',
): Gap {
  return {
    type: 'gap',
    why,
    ...(missed >= 0 && { missed }),
    ...(from && { from }),
    ...(to && { to }),
  };
}

function placeOf(item: Item): string | undefined {
  return item.type === 'gap' ? item.to : item.at;
}
