import { request } from 'node:http';
import type { ExecutionContext } from 'ava';
import type { Connection } from '../../src/connection/connection.ts';
import type { DoorCounters } from '../../src/connection/door-context.ts';
import type { TestRelay } from './relay.ts';
import { connectWs, type WsClient } from './ws-client.ts';

/** The topics that everybody is in; those of the last ones may be given one order for all relays. */
const TOPICS = ['news', 'orders.a', 'orders.b', 'orders.c'];
/** Messages that one client sends in a row. */
const BURST = 10;
const MILLISECONDS_TO_CONNECT = 2000;

/** What the throng needs of a relay. */
export const throngDoors = {
  pusu: {},
  pinghub: { realm: 'main' },
  wspubsub: { grace: '10s', apikeys: { list: [{ domain: 'd', key: 'key' }] } },
} as const;

/** A place in the throng, for one client after the other. */
interface Place {
  readonly come: () => Promise<Guest>;
  /** What it publishes; null: it only listens. */
  readonly text: ((number: number) => string) | null;
  guest: Guest | undefined;
  coming: boolean;
}

interface Guest {
  readonly isHere: () => boolean;
  readonly send: (text: string) => void;
}

/** Clients of every door of a relay, who publish and listen. Whoever is thrown out comes back. */
export class Throng {
  readonly #t: ExecutionContext;
  readonly relay: TestRelay;
  readonly #places: readonly Place[];
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #doors = new Map<string, DoorCounters>();
  #number = 0;

  /** `name`: of the topic that it owns, among those of the network. */
  constructor(t: ExecutionContext, relay: TestRelay, name = 'owned') {
    this.#t = t;
    this.relay = relay;
    const listeners = TOPICS.flatMap((topic) => [
      this.#place(() => this.#pusu(topic), asPublish(topic)),
      this.#place(() => this.#pusu(topic), asPublish(topic)),
      this.#place(() => this.#webSocket('pinghub', `/${topic}`), String),
      this.#place(() => this.#stream(topic), null),
    ]);
    this.#places = [
      ...listeners,
      this.#place(() => this.#webSocket('wspubsub', `/ws/pub/key/d/${name}`), String),
      this.#place(() => this.#webSocket('wspubsub', `/ws/sub/d/${name}`), null),
      this.#place(() => this.#webSocket('wspubsub', `/ws/sub/d/${name}`), null),
    ];
  }

  /** How many are there. */
  get here(): number {
    return this.#places.filter(({ guest }) => guest?.isHere() === true).length;
  }

  get places(): number {
    return this.#places.length;
  }

  /** Lets in who is missing, as far as the relay takes anybody. */
  fill(): void {
    for (const place of this.#places) {
      if (place.coming || place.guest?.isHere() === true) continue;
      place.coming = true;
      const come = place.come().then(
        (guest) => {
          place.guest = guest;
        },
        () => undefined,
      );
      this.#underWay.add(come);
      void come.then(() => {
        place.coming = false;
        this.#underWay.delete(come);
      });
    }
  }

  /** Everybody publishes a few messages, and some by a POST. */
  publish(): void {
    for (const { guest, text } of this.#places) {
      if (text === null || guest?.isHere() !== true) continue;
      for (let i = 0; i < BURST; i++) guest.send(text(++this.#number));
    }
    for (const topic of TOPICS) this.#post(topic, `post ${++this.#number}`);
  }

  /** Waits for those who are on their way. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** How many messages the doors have taken. One client of each must have been there when it is asked first. */
  get taken(): number {
    const doors = this.#doors;
    for (const { behaviour, state } of this.relay.relay.system.processes.values()) {
      if (behaviour.name !== 'connection-handler' || state === undefined) continue;
      const { context } = state as Connection;
      doors.set(context.door.name, context.counters);
    }
    let sum = 0;
    for (const { messages, posts } of doors.values()) sum += messages + posts;
    return doors.size === Object.keys(throngDoors).length ? sum : Number.NaN;
  }

  #place(come: Place['come'], text: Place['text']): Place {
    return { come, text, guest: undefined, coming: false };
  }

  async #webSocket(door: string, path: string): Promise<Guest> {
    return asGuest(await inTime(connectWs(this.#t, this.relay.port(door), path)));
  }

  async #pusu(channel: string): Promise<Guest> {
    const client = await inTime(connectWs(this.#t, this.relay.port('pusu')));
    client.send(JSON.stringify({ type: 'subscribe', channel }));
    return asGuest(client);
  }

  #stream(topic: string): Promise<Guest> {
    return new Promise((resolve, reject) => {
      const stream = request(
        { port: this.relay.port('pinghub'), host: '127.0.0.1', path: `/${topic}`, agent: false },
        (response) => {
          let here = response.statusCode === 200;
          response.on('close', () => {
            here = false;
          });
          response.on('error', () => undefined);
          response.resume();
          resolve({ isHere: () => here, send: () => undefined });
        },
      );
      stream.setHeader('Accept', 'text/event-stream');
      stream.setTimeout(MILLISECONDS_TO_CONNECT, () => reject(new Error('no answer')));
      stream.on('error', reject);
      this.#t.teardown(() => stream.destroy());
      stream.end();
    });
  }

  #post(topic: string, text: string): void {
    const options = { host: '127.0.0.1', path: `/${topic}`, method: 'POST', agent: false } as const;
    const post = new Promise<void>((resolve) => {
      const sent = request({ ...options, port: this.relay.port('pinghub') }, (response) => {
        response.resume();
        response.on('close', () => resolve());
      });
      sent.setTimeout(MILLISECONDS_TO_CONNECT, () => sent.destroy());
      sent.on('error', () => resolve());
      sent.on('close', () => resolve());
      sent.end(text);
    });
    this.#underWay.add(post);
    void post.then(() => this.#underWay.delete(post));
  }
}

const asPublish = (channel: string) => (content: number) =>
  JSON.stringify({ type: 'publish', channel, content });

function asGuest({ webSocket, send }: WsClient): Guest {
  return { isHere: () => webSocket.readyState === webSocket.OPEN, send };
}

/** A relay in trouble may leave somebody without an answer. */
function inTime<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer in time')), MILLISECONDS_TO_CONNECT);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
