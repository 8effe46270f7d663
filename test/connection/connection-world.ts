import type { Socket } from 'node:net';
import type { WebSocketServer } from 'ws';
import { everything } from '../../src/authenticator/permissions.ts';
import type { Limits } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import type { Connection, ConnectionMessage } from '../../src/connection/connection.ts';
import { Connections } from '../../src/connection/connections.ts';
import type { DoorContext, Guard } from '../../src/connection/door-context.ts';
import { newDoorCounters } from '../../src/connection/door-context.ts';
import type { Closed } from '../../src/connection/end.ts';
import type { Transport, TransportMessage } from '../../src/connection/transport/transport.ts';
import type { Command, Event, HttpReply, Session, Step } from '../../src/door/contract.ts';
import { type Pid, send } from '../../src/otp/process.ts';
import { getState } from '../../src/otp/sys.ts';
import { plain, REALM, type TopicsWorld, topicsWorld } from '../topic/topics-world.ts';

/** A socket that takes as many bytes as its reader lets it. */
export class FakeSocket {
  writable = true;
  destroyed = false;
  errored: Error | null = null;
  writableLength = 0;
  bytesRead = 0;
  bytesWritten = 0;
  /** Bytes that the kernel still takes at once. */
  room = Number.POSITIVE_INFINITY;
  /** What a ping writes, in bytes. */
  pingBytes = 0;
  readonly written: Buffer[] = [];
  #callbacks: ((error?: Error | null) => void)[] = [];

  cork(): void {
    // Writes are put together by the kernel here.
  }

  uncork(): void {
    // As above.
  }

  write(bytes: Buffer, callback?: (error?: Error | null) => void): boolean {
    if (bytes.length > 0) this.written.push(bytes);
    this.bytesWritten += bytes.length;
    const taken = this.writableLength > 0 ? 0 : Math.min(bytes.length, this.room);
    this.room -= taken;
    this.writableLength += bytes.length - taken;
    if (callback !== undefined) this.#callbacks.push(callback);
    return this.writableLength === 0;
  }

  /** What libuv has of it; the real one has a handle. */
  get _handle(): { readonly writeQueueSize: number } {
    return { writeQueueSize: this.writableLength };
  }

  /** The client reads so many bytes more of what waits. */
  read(bytes: number): void {
    this.writableLength = Math.max(0, this.writableLength - bytes);
    if (this.writableLength > 0) return;
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callback(null);
  }
}

/** A client as its handler's transport shows it, and what has been done to it. */
export interface FakeClient {
  readonly pid: Pid<ConnectionMessage>;
  readonly socket: FakeSocket;
  /** `accept`, `pause`, `resume`, `ping`, `close 1000 why`, `reply 404`, `destroy`. */
  readonly done: string[];
  /** What has been written, as text. */
  text(): string;
  says(text: string): void;
  tells(message: TransportMessage): void;
  state(): Connection;
}

export interface ConnectionWorld extends TopicsWorld {
  readonly context: DoorContext;
  readonly closed: (Closed & { readonly level: string })[];
  /** A connection of which each text is a command: `join t`, `leave t`, `claim t`, `publish t text`, `close`. */
  client(kind?: Transport['kind'], whenAsked?: 'wanted' | 'owned'): Promise<FakeClient>;
}

interface Options {
  readonly limits?: Partial<Limits>;
  readonly grace?: number;
  readonly heartbeat?: DoorContext['heartbeat'];
}

/** What the connections of a door have in common, all of them under one guard; but for `parts`, it does nothing. */
export function doorContext(
  guard: Guard,
  parts: Pick<DoorContext, 'topics' | 'limits'> & Partial<DoorContext>,
): DoorContext {
  return {
    door: {
      name: 'fake',
      protocols: [],
      route: () => ({ type: 'reply', status: 404, headers: {}, body: '' }),
    },
    realm: REALM,
    guards: { authenticator: guard, apikeys: guard, open: guard },
    heartbeat: { ping: 0, pong: 0 },
    grace: 1000,
    counters: newDoorCounters(),
    webSockets: undefined as unknown as WebSocketServer,
    attempts: { failed: () => undefined, refuses: () => false },
    log: { closed: () => undefined, refused: () => undefined },
    ...parts,
  };
}

/** Connections and topics on a clock wound by hand, without sockets. */
export async function connectionWorld({
  limits = {},
  grace = 1000,
  heartbeat = { ping: 0, pong: 0 },
}: Options = {}): Promise<ConnectionWorld> {
  const world = topicsWorld();
  const closed: (Closed & { readonly level: string })[] = [];
  const connections = new Connections();
  const root = connections.spec.start(world.system, { label: 'connections' });
  if (!root.ok) throw new Error('the connections have not started');
  const guard = { anonymous: everything, server: null };
  const context = doorContext(guard, {
    topics: world.topics,
    limits: { ...defaultLimits(), ...limits },
    heartbeat,
    grace,
    log: { closed: (line, level) => closed.push({ ...line, level }), refused: () => undefined },
  });
  return {
    ...world,
    context,
    closed,
    async client(kind = 'websocket', condition = 'wanted') {
      const transport = new FakeTransport(kind);
      const taken = connections.start(world.system, {
        context,
        guard,
        transport,
        session: new WordSession(condition),
        format: plain,
        address: 'test',
      });
      await world.quiet();
      const { handler } = transport;
      if (!taken || handler === undefined) throw new Error('no handler has started');
      return {
        pid: handler as Pid<ConnectionMessage>,
        socket: transport.fake,
        done: transport.done,
        text: () => Buffer.concat(transport.fake.written).toString(),
        says: (text) => send(handler, { type: 'text', payload: Buffer.from(text) }),
        tells: (message) => send(handler, message),
        state: () => getState(handler) as Connection,
      };
    },
  };
}

function defaultLimits(): Limits {
  const parsed = parseConfig({ text: '{}', file: 'test', sets: [], env: {}, hostName: 'test' });
  if (!parsed.ok) throw new Error('the defaults are faulty');
  return parsed.config.limits;
}

export class FakeTransport implements Transport {
  readonly kind: Transport['kind'];
  readonly fake = new FakeSocket();
  readonly socket = this.fake as unknown as Socket;
  readonly done: string[] = [];
  handler: Pid<TransportMessage> | undefined;

  constructor(kind: Transport['kind']) {
    this.kind = kind;
  }

  attach(handler: Pid<TransportMessage>): boolean {
    this.handler = handler;
    return true;
  }

  accept(): boolean {
    this.done.push('accept');
    return true;
  }

  reply({ status }: HttpReply): void {
    this.done.push(`reply ${status}`);
  }

  pause(): void {
    this.done.push('pause');
  }

  resume(): void {
    this.done.push('resume');
  }

  keepAlive(): void {
    this.done.push('ping');
    if (this.fake.pingBytes > 0) this.fake.write(Buffer.alloc(this.fake.pingBytes));
  }

  close(code: number, reason: string): void {
    this.done.push(`close ${code} ${reason}`);
  }

  destroy(): void {
    this.done.push('destroy');
    this.fake.writable = false;
    if (this.handler !== undefined) send(this.handler, { type: 'closed', code: 1006 });
  }
}

class WordSession implements Session {
  readonly condition: 'wanted' | 'owned';

  constructor(condition: 'wanted' | 'owned') {
    this.condition = condition;
  }

  start(): readonly Command[] {
    return [{ type: 'accept' }];
  }

  step(event: Event): Step {
    switch (event.type) {
      case 'text':
      case 'body':
        return [this, [this.#command(event.payload.toString())]];
      case 'joined':
      case 'claimed':
      case 'published':
      case 'ended':
        return [this, [say(`${event.type} ${event.topic}`)]];
      case 'refused':
        return [this, [say(`refused ${event.action} ${event.topic} ${event.why}`)]];
      default:
        return [this, []];
    }
  }

  #command(text: string): Command {
    const [verb, topic = '', ...rest] = text.split(' ');
    if (verb === 'join') return { type: 'join', topic, while: this.condition };
    if (verb === 'leave' || verb === 'claim') return { type: verb, topic };
    if (verb === 'close') return { type: 'close', code: 1000, reason: 'asked' };
    if (verb === 'crash') throw new Error('told to crash');
    const payload = Buffer.from(rest.join(' '));
    return { type: 'publish', topic, message: { kind: 'text', payload } };
  }
}

function say(text: string): Command {
  return { type: 'send', bytes: Buffer.from(`<${text}>`) };
}
