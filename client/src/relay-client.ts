import {
  type Client,
  FanfareError,
  type Level,
  type Options,
  type Socket,
  type State,
  type SubscribeOptions,
  type Subscription,
  type TokenReason,
} from './api.ts';
import { call } from './call.ts';
import { type Channel, newChannel, type Published } from './channel.ts';
import { newDeadlines } from './deadlines.ts';
import { type Answer, newFeed, type ToldGap } from './feed.ts';
import type { Surroundings } from './surroundings.ts';

type List = string | readonly string[];
export type Urls = List | (() => List | Promise<List>);

/** For the relay to greet, or to judge a credential. Milliseconds, as all times here. */
const HANDSHAKE = 10_000;
/** For a relay to answer that is asked whether it is there. */
const PROBE = 2000;
/** For what has come already to be heard. */
const TURN = 20;
/** A connection that has lasted so long is a good one: the next attempts begin again with short waits. */
const STABLE = 5000;
/** While nothing is read, the relay is told so often that this side lives: its pings are not heard. */
const KEEPALIVE = 4000;
/** Characters that may wait for the connection that is being made. */
const WAITING = 65_536;
/** Bytes not yet on their way, up to which a publish without an answer counts as sent. */
const BUFFERED = 1_048_576;
/** After these the same would happen again: close codes, and reasons of 1008. */
const FINAL: unknown[] = [1002, 1007, 1009, 'permission_denied', 'unknown_message_received'];

/** Frames of the relay, of both levels. Which fields there are depends on the type. */
interface Frame extends Answer, ToldGap, Published {
  readonly type: string;
  readonly at?: string;
  readonly missed?: number | null;
  readonly why?: string;
  readonly protocol?: string;
  readonly limits?: { readonly message?: number };
  readonly channel?: string;
  readonly id?: number;
  readonly expires_in?: number;
  readonly within?: number;
}

interface Publication {
  /** Its frame, but for the end. */
  readonly text: string;
  sent: boolean;
  answer?: Promise<unknown>;
  settle(error: unknown, at?: string): void;
}

/** What is asked of the relay: a subscribe, or, without a channel, a ping. */
interface Asked {
  readonly channel?: string;
  /** Where the relay is only to show that it is there. `null`: nobody waits for that. */
  readonly question?: Question;
}

type Question = ((isLost: boolean) => void) | null;

/**
 * A client: one connection after the other, each of which is given up when it is in doubt, and what shall be true whatever
 * becomes of them. Of a socket that was given up nothing is heard any more.
 */
export function relayClient(urls: Urls, options: Options, around: Surroundings): Client {
  const { token, offline, silence = 30_000, retry = {} } = options;
  /** Characters that may wait where there is no connection. */
  const queue = typeof offline === 'object' ? offline.queue : 0;
  const { base = 500, cap = 20_000, attempts } = retry;
  const { now, random } = around;
  const { set, clear, has, stop } = newDeadlines(around, wake);
  const listeners = new Set<(state: State, error?: FanfareError) => void>();

  let state: State = 'idle';
  let level: Level | undefined;
  /** Of the attempt or connection that counts. What belongs to an earlier one sees that it is over. */
  let attempt = new AbortController();
  let socket: Socket | undefined;
  let heard = 0;
  let failures = 0;
  let turn = 0;
  /** When to come back, where the relay has said goodbye; else 0. */
  let back = 0;
  let wasRefused = false;
  let messageLimit: number | undefined;

  const channels = new Map<string, Channel>();
  /** In the order in which it was sent: pusud does not say which subscribe it answers. */
  let asked: Asked[] = [];
  const publications = new Map<number, Publication>();
  let lastId = 0;
  /** Characters of what is not sent yet. */
  let waiting = 0;
  /** Subscriptions whose loop has enough to do. */
  let full = 0;
  let paused = false;
  let closing: Promise<void> | undefined;

  function enter(next: State, error?: FanfareError): void {
    if (next === state) return;
    state = next;
    for (const listener of listeners) call(listener, next, error);
  }

  // One attempt: from the URL to the socket, the greeting, the credential.

  function connect(): void {
    drop('connecting');
    // A listener may have ended it.
    if (state !== 'connecting') return;
    const { signal } = attempt;
    expect();
    // What no socket can be made of today, none can be made of tomorrow.
    let onError = lost;
    const open = async () => {
      const list = [await (typeof urls === 'function' ? urls() : urls)].flat();
      if (signal.aborted) return;
      onError = fail;
      const opened = await around.open(`${list[turn % list.length]}`.replace(/^http/, 'ws'), [
        'pusu',
        'fanfare.1',
      ]);
      if (signal.aborted) quit(opened);
      else hear(opened);
    };
    open().catch((error) => signal.aborted || onError('unreachable', error));
  }

  /** The relay has so long for its next step. */
  function expect(): void {
    set('handshake', HANDSHAKE, () => lost('timeout'));
  }

  function hear(opened: Socket): void {
    let fault: unknown;
    socket = opened;
    opened.onerror = (event) => {
      fault = (event as { message?: string }).message;
    };
    opened.onclose = ({ code, reason }) => {
      socket = undefined;
      if (FINAL.includes(code) || FINAL.includes(reason)) fail(reason || `${code}`);
      else lost('disconnected', fault || `${code} ${reason}`);
    };
    opened.onmessage = ({ data }) => {
      heard = now();
      try {
        received(JSON.parse(data as string));
      } catch (error) {
        lost('faulty_frame', error);
      }
    };
  }

  function received(frame: Frame): void {
    const { type, channel = '', why, id = 0, at, within = 0, expires_in: expiresIn } = frame;
    const publication = publications.get(id);
    const known = channels.get(channel);
    switch (type) {
      case 'publish':
        known?.take(frame);
        break;
      case 'publish_ok':
        publication?.settle(null, at);
        break;
      case 'publish_error':
        publication?.settle(new FanfareError(`${why}`, channel));
        break;
      case 'subscribe_ok':
      case 'subscribe_error':
      case 'pong':
        answered(frame);
        break;
      case 'gap':
        known?.miss(frame);
        break;
      case 'ping':
        send({ type: 'pong' });
        break;
      case 'hello':
        level = frame.protocol ? 'fanfare.1' : 'pusu';
        messageLimit = frame.limits?.message;
        if (token) authorize(wasRefused ? 'refused' : 'first');
        else opened();
        break;
      case 'authorization_ok':
        wasRefused = false;
        if (expiresIn) renew(expiresIn * 1000 * (0.75 + random() * 0.15));
        if (state !== 'open') opened();
        break;
      case 'authorization_failed':
        if (why === 'unavailable') unauthorized(why);
        else refused();
        break;
      case 'goodbye':
        back = now() + random() * within * 1000;
        set('leave', back - now(), () => lost(type));
        break;
      case 'error':
      case 'permission_denied':
      case 'unknown_message_received':
        fail(why ?? type);
    }
  }

  async function authorize(reason: TokenReason): Promise<void> {
    const { signal } = attempt;
    clear('handshake');
    try {
      const authorization = typeof token === 'function' ? await token(reason, signal) : token;
      if (signal.aborted) return;
      if (authorization == null) fail('unauthorized');
      else {
        send({ type: 'authorize', authorization });
        if (state !== 'open') expect();
      }
    } catch (error) {
      if (!signal.aborted) unauthorized('unauthorized', error);
    }
  }

  /** There is no new credential now. What was open stays so with the last one. */
  function unauthorized(why: string, cause?: unknown): void {
    if (state === 'open') renew(STABLE);
    else lost(why, cause);
  }

  function renew(wait: number): void {
    if (typeof token === 'function') set('renew', wait, () => authorize('expiring'));
  }

  function refused(): void {
    if (wasRefused || typeof token !== 'function') fail('unauthorized');
    else {
      wasRefused = true;
      // PuSu ends the connection.
      if (level === 'pusu') lost('unauthorized');
      else authorize('refused');
    }
  }

  function opened(): void {
    clear('handshake');
    set('stable', STABLE, () => {
      failures = 0;
    });
    listen();
    enter('open');
    for (const channel of channels.values()) sync(channel);
    for (const [id, publication] of publications) transmit(id, publication);
  }

  // Whether the relay is there.

  function listen(): void {
    const left = heard + silence - now();
    if (left <= 0 && !paused) probe();
    set('silence', left > 0 ? left : silence, listen);
  }

  function probe(): void {
    if (has('probe')) return;
    // The clock may have been set back.
    heard = Math.min(heard, now());
    const judge = () => {
      // Its answer may stand behind what comes.
      if (now() - heard < PROBE / 2) set('probe', PROBE, judge);
      // A machine that was busy finds its timers first, and then what has come.
      else set('probe', TURN, () => lost('silent'));
    };
    set('probe', PROBE, judge);
    ask(() => clear('probe'));
  }

  /** PuSu answers nothing but a subscribe, and one that is repeated changes nothing. Without any there is nothing to ask. */
  function ask(question: Question): void {
    const isPusu = level === 'pusu';
    const known = [...channels.values()].find(({ wire }) => wire() === 'on');
    if (isPusu && !known) question?.(false);
    else {
      const frame = isPusu ? { type: 'subscribe', channel: known?.name } : { type: 'ping' };
      asked.push({ ...frame, question } as Asked);
      send(frame);
    }
    regulate();
  }

  function wake(): void {
    if (state === 'open') probe();
    else if (state !== 'connecting') set('retry', random() * base, connect);
  }

  /** A loop has enough: nothing is read, so that the relay slows its publishers. Answers that somebody waits for are read. */
  function regulate(): void {
    const pauses =
      full > 0 && state === 'open' && !publications.size && asked.every(({ question }) => question === null);
    if (pauses === paused) return;
    paused = pauses;
    heard = now();
    clear('keepalive');
    if (pauses) {
      socket?.pause?.();
      keepAlive();
    } else socket?.resume?.();
  }

  function keepAlive(): void {
    set('keepalive', KEEPALIVE, () => {
      ask(null);
      keepAlive();
    });
  }

  // What becomes of a connection.

  function lost(why: string, cause?: unknown): void {
    const error = new FanfareError(why, cause);
    const wait = back ? back - now() : random() * Math.min(cap, base * 2 ** failures);
    turn++;
    if (failures++ === attempts) fail('unreachable', error);
    else {
      drop('waiting', error);
      if (state === 'waiting') set('retry', wait, connect);
    }
  }

  /** Gives up the connection or attempt, if there is one, for another state. */
  function drop(next: State, error?: FanfareError): void {
    const old = socket;
    const open = asked;
    socket = undefined;
    back = 0;
    asked = [];
    attempt.abort();
    attempt = new AbortController();
    stop();
    if (old) quit(old);
    for (const channel of channels.values()) channel.lost();
    enter(next, error);
    for (const { question } of open) question?.(true);
    for (const { sent, settle } of publications.values()) {
      if (sent) settle(new FanfareError('unconfirmed'));
      else if (!queue && state !== 'connecting') settle(new FanfareError('offline', error));
    }
    regulate();
  }

  function fail(why: string, cause?: unknown): void {
    finish(new FanfareError(why, cause));
  }

  /** For good. Settles when the relay has answered the close, or has had the time to. */
  function finish(error?: FanfareError): Promise<void> {
    const old = socket;
    closing ??= Promise.resolve();
    if (state === 'closed') return closing;
    socket = undefined;
    drop('closed', error);
    stop();
    unwatch();
    listeners.clear();
    for (const { settle } of publications.values()) settle(error ?? new FanfareError('closed'));
    for (const channel of channels.values()) channel.finish(error);
    channels.clear();
    return new Promise((resolve) => {
      if (!old) return resolve();
      const end = () => {
        cancel();
        quit(old);
        resolve();
      };
      const cancel = around.after(PROBE, end);
      old.onmessage = null;
      old.onclose = end;
      old.resume?.();
      old.close(1000);
    });
  }

  // Channels and publications.

  /** What the relay knows of a channel is brought to what is wanted; one step at a time, for answers have no number. */
  function sync(channel: Channel): void {
    const { name } = channel;
    const wire = channel.wire();
    const isEmpty = channel.isEmpty();
    if (state !== 'open' || wire === 'asked' || has(channel) || !(isEmpty || channel.isWanting())) return;
    // A member that subscribes once more is not answered from history.
    if (wire === 'on') send({ type: 'unsubscribe', channel: name });
    if (isEmpty) forget(channel);
    else {
      const since = channel.ask();
      asked.push({ channel: name });
      send({ type: 'subscribe', channel: name, since: level === 'pusu' ? undefined : since });
      regulate();
    }
  }

  function answered(frame: Frame): void {
    const { type, channel: name, why } = frame;
    const of = asked.find(({ channel }) => channel === name || (level === 'pusu' && !name));
    asked = asked.filter((one) => one !== of);
    const channel = channels.get(name ?? of?.channel ?? '');
    if (of?.question !== undefined) of.question?.(false);
    else if (channel) {
      if (type === 'subscribe_ok') channel.answered(frame);
      else if (why === 'unavailable') {
        channel.lost();
        later(channel, 1000 + random() * 4000);
      } else {
        forget(channel);
        channel.finish(new FanfareError(`${why}`, name));
      }
      sync(channel);
    }
    regulate();
  }

  function later(channel: Channel, wait: number): void {
    set(channel, wait, () => sync(channel));
  }

  function forget(channel: Channel): void {
    channels.delete(channel.name);
    clear(channel);
  }

  function transmit(id: number, publication: Publication): void {
    const isPusu = level === 'pusu';
    const text = `${publication.text}${isPusu ? '' : `,"id":${id}`}}`;
    if (messageLimit && new TextEncoder().encode(text).length > messageLimit)
      publication.settle(new FanfareError('too_large'));
    else {
      waiting -= publication.text.length;
      publication.sent = true;
      socket?.send(text);
      if (isPusu) confirm();
    }
  }

  /** PuSu answers no publish: it is taken as passed on once it is on its way. */
  function confirm(): void {
    if (socket && socket.bufferedAmount > BUFFERED) set('confirm', TURN, confirm);
    else for (const { sent, settle } of publications.values()) if (sent) settle(null);
  }

  function send(frame: object): void {
    socket?.send(JSON.stringify(frame));
  }

  async function flush(): Promise<number> {
    const start = now();
    await Promise.allSettled([...publications.values()].map(({ answer }) => answer));
    await new Promise<void>((resolve, reject) => {
      const isOffline = (isLost: boolean) => (isLost ? reject(new FanfareError('offline')) : resolve());
      if (state === 'open') ask(isOffline);
      else isOffline(true);
    });
    return now() - start;
  }

  function subscribe(name: string, subscription: SubscribeOptions = {}): Subscription {
    const { linger = 1000 } = subscription;
    const feed = newFeed(name, subscription, {
      canPause: () => !!socket?.pause,
      filled(isFull) {
        full += isFull ? 1 : -1;
        regulate();
      },
      ended() {
        channel.remove(feed);
        if (channel.isEmpty()) later(channel, linger);
      },
    });
    name += '';
    const channel = channels.get(name) ?? newChannel(name);
    if (closing) feed.finish(new FanfareError('closed'));
    else {
      channels.set(name, channel);
      clear(channel);
      channel.add(feed);
      sync(channel);
    }
    return feed;
  }

  const unwatch = around.watch(wake, () => drop('idle'));
  connect();

  return {
    get state() {
      return state;
    },
    get level() {
      return level;
    },
    on(_event, listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    subscribe: subscribe as Client['subscribe'],
    publish(channel, content, signal) {
      const id = ++lastId;
      const answer = new Promise<string | undefined>((resolve, reject) => {
        channel += '';
        const text = JSON.stringify({ type: 'publish', channel, content }).slice(0, -1);
        const isOpen = state === 'open';
        signal?.throwIfAborted();
        if (closing) throw new FanfareError('closed');
        if (!isOpen && !queue && state !== 'connecting') throw new FanfareError('offline');
        if (!isOpen && waiting + text.length > (queue || WAITING)) throw new FanfareError('queue_full');
        const abort = () => publication.settle(signal?.reason);
        const publication: Publication = {
          text,
          sent: false,
          settle(error, at) {
            signal?.removeEventListener('abort', abort);
            publications.delete(id);
            if (!publication.sent) waiting -= text.length;
            if (error) reject(error);
            else resolve(at);
            regulate();
          },
        };
        signal?.addEventListener('abort', abort);
        publications.set(id, publication);
        waiting += text.length;
        if (isOpen) transmit(id, publication);
        regulate();
      });
      const publication = publications.get(id);
      if (publication) publication.answer = answer;
      return answer;
    },
    flush,
    close,
    [Symbol.asyncDispose]: close,
  };

  function close(): Promise<void> {
    closing ??= end();
    return closing;
  }

  async function end(): Promise<void> {
    if (state === 'open' && publications.size)
      await new Promise<unknown>((resolve) => {
        set('close', PROBE, () => resolve(0));
        flush().then(resolve, resolve);
      });
    await finish();
  }
}

/** Ends a socket, of which nothing shall be heard any more. One that ends has something to complain of. */
function quit(socket: Socket): void {
  socket.onmessage = null;
  socket.onclose = null;
  socket.onerror = () => {};
  if (socket.terminate) socket.terminate();
  else socket.close();
}
