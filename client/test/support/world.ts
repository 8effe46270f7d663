import { setImmediate as turn } from 'node:timers/promises';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { Client, Gap, Message, Options, Socket } from '../../src/api.ts';
import { relayClient, type Urls } from '../../src/relay-client.ts';
import type { Surroundings } from '../../src/surroundings.ts';

/** A frame of either side, read. */
export interface Frame {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A socket of which a test plays the other side. */
export class ScriptedSocket implements Socket {
  readonly protocol = '';
  bufferedAmount = 0;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  onerror: Socket['onerror'] = null;
  /** What the client has sent, oldest first, and the test has not taken. */
  readonly sent: Frame[] = [];
  readonly url: string;
  readonly offered: readonly string[];
  isOpen = true;
  isPaused = false;
  /** With which it was closed; null: at once, as one that is given up. */
  closedWith: number | null | undefined;
  readonly #held: string[] = [];

  constructor(url: string, offered: readonly string[]) {
    this.url = url;
    this.offered = offered;
  }

  send(text: string): void {
    if (this.isOpen) this.sent.push(JSON.parse(text) as Frame);
  }

  close(code?: number): void {
    this.closedWith = code ?? null;
    if (code === undefined) this.isOpen = false;
  }

  terminate(): void {
    this.close();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    for (const text of this.#held.splice(0)) this.onmessage?.({ data: text });
  }

  /** The next frame that the client has sent. */
  take(): Frame | undefined {
    return this.sent.shift();
  }

  /** The relay says this. While the socket is paused, it waits. */
  say(...frames: readonly Frame[]): void {
    for (const frame of frames) {
      const data = JSON.stringify(frame);
      if (this.isPaused) this.#held.push(data);
      else if (this.isOpen) this.onmessage?.({ data });
    }
  }

  /** The connection ends, from the other side. */
  end(code = 1006, reason = ''): void {
    this.isOpen = false;
    this.onclose?.({ code, reason });
  }
}

/** A client in a world that a test moves: its clock, its chance, its sockets. */
export interface World {
  readonly client: Client;
  readonly clock: VirtualClock;
  /** All sockets that it has opened. */
  readonly sockets: readonly ScriptedSocket[];
  /** The last one that it has opened, once it has done what it does at once. */
  socket(): Promise<ScriptedSocket>;
  /** What chance says from now on. */
  chance: number;
  /** Throws where the next attempts would open a socket. */
  fault: Error | undefined;
  /** A page that is to be seen again, or is put away; undefined once the client listens no more. */
  wake: (() => void) | undefined;
  hide: (() => void) | undefined;
  /** Winds the clock on, and lets the client do what it does at once. */
  advance(milliseconds: number): Promise<void>;
  /** The machine sleeps: the clock goes on, and no timer rings. */
  sleep(milliseconds: number): void;
}

export function newWorld(urls: Urls = 'ws://relay', options: Options = {}): World {
  const clock = new VirtualClock();
  const sockets: ScriptedSocket[] = [];
  let asleep = 0;
  const around: Surroundings = {
    now: () => clock.now() + asleep,
    after: (milliseconds, action) => {
      const timer = clock.after(milliseconds, action);
      return () => timer.cancel();
    },
    random: () => world.chance,
    open(url, protocols) {
      if (world.fault !== undefined) throw world.fault;
      const socket = new ScriptedSocket(url, protocols);
      sockets.push(socket);
      return socket;
    },
    watch(wake, hide) {
      world.wake = wake;
      world.hide = hide;
      return () => {
        world.wake = undefined;
        world.hide = undefined;
      };
    },
  };
  const world = {
    clock,
    sockets,
    chance: 0.5,
    fault: undefined as Error | undefined,
    wake: undefined as (() => void) | undefined,
    hide: undefined as (() => void) | undefined,
    async socket() {
      await turn();
      return sockets.at(-1) as ScriptedSocket;
    },
    async advance(milliseconds: number) {
      // In steps, so that what follows from a timer is done at its time.
      for (let left = milliseconds; left > 0; left -= 250) {
        clock.advance(Math.min(250, left));
        await turn();
      }
    },
    sleep(milliseconds: number) {
      asleep += milliseconds;
    },
  };
  const client = relayClient(urls, options, around);
  return Object.assign(world, { client });
}

export const hello: Frame = {
  type: 'hello',
  protocol: 'fanfare.1',
  relay: 'r',
  ping: 25,
  limits: { message: 1000 },
};

/** A world whose client is connected. */
export async function openWorld(urls?: Urls, options?: Options, greeting = hello): Promise<World> {
  const world = newWorld(urls, options);
  (await world.socket()).say(greeting);
  return world;
}

/** All that a subscription tells its listener. */
export function heard(subscription: {
  on(listener: (event: Message | Gap) => void): () => void;
}): (Message | Gap)[] {
  const events: (Message | Gap)[] = [];
  subscription.on((event) => events.push(event));
  return events;
}

/** In short: the content of messages, and of gaps `-N`, or `-?`, with the reason. */
export function brief(events: readonly (Message | Gap)[]): unknown[] {
  return events.map((event) =>
    event.type === 'message' ? event.content : `-${event.missed ?? '?'} ${event.why}`,
  );
}
