import { isDeepStrictEqual } from 'node:util';
import { type ServerOptions, WebSocketServer } from 'ws';
import { type DrainerArgs, drainer } from '../acceptor/drainer.ts';
import type { Gate } from '../acceptor/gate.ts';
import {
  type ListenerArgs,
  type ListenerMessage,
  listener,
  reconfigureListener,
} from '../acceptor/listener.ts';
import { metricsListener } from '../acceptor/pinghub-metrics-listener.ts';
import type { Edge } from '../acceptor/request-checks.ts';
import { isEmpty } from '../authenticator/permissions.ts';
import type { Limits } from '../config/config.ts';
import { readTls } from '../config/files.ts';
import { Connection, type ConnectionMessage } from '../connection/connection.ts';
import { type DoorContext, newDoorCounters } from '../connection/door-context.ts';
import { DoorWebSocket } from '../connection/transport/websocket-transport.ts';
import type { Door } from '../door/contract.ts';
import { chosenProtocol } from '../door/subprotocol.ts';
import type { Log } from '../log/log.ts';
import { type ChildInfo, type ChildSpec, worker } from '../otp/child-spec.ts';
import { addChild, MovableChild, type Move } from '../otp/children.ts';
import { inform, type Pid } from '../otp/process.ts';
import { type ProcessName, processName, whereis } from '../otp/registry.ts';
import { whichChildren } from '../otp/supervisor.ts';
import { getState } from '../otp/sys.ts';
import type { System } from '../otp/system.ts';
import type { Topics } from '../topic/topics.ts';
import type { DoorView } from '../view/relay-view.ts';
import { ACCEPTOR } from './application.ts';
import type { DoorSettings } from './doors.ts';

/** What every door of a relay is made with. */
export interface Entrance {
  readonly system: System;
  readonly topics: Topics;
  readonly gate: Gate;
  readonly log: Log;
  readonly startHandler: ListenerArgs['startHandler'];
  /** For the connections of a door that closes. */
  readonly draining: Omit<DrainerArgs, 'only' | 'stopAccepting'>;
}

/** The part of a configuration that one door is made from. */
export interface DoorPlan {
  readonly settings: DoorSettings;
  readonly limits: Limits;
  /** Undefined: they stay as they are. */
  readonly guards: DoorContext['guards'] | undefined;
}

type DoorMove = Move<DoorSettings['at']>;

/** Of a door's listeners, at most one each. */
export interface DoorMoves {
  readonly listener: readonly DoorMove[];
  readonly metrics: readonly DoorMove[];
}

type Address = NonNullable<DoorSettings['metrics']>;

/**
 * One door that is open, and how it changes while the relay runs. What all its connections share is one object, which
 * is changed in place: a limit that is read there at the time of need is the new limit at once.
 */
export class OpenDoor {
  readonly #entrance: Entrance;
  readonly #context: DoorContext;
  readonly #listener: MovableChild<DoorSettings['at']>;
  readonly #metrics: MovableChild<Address>;
  #settings: DoorSettings;
  /** The listener that is open before the settings count for which it is there. */
  #coming: { readonly id: string; readonly settings: DoorSettings } | null = null;

  constructor(entrance: Entrance, { settings, limits, guards }: DoorPlan) {
    if (guards === undefined) throw new Error(`nobody judges the clients of ${settings.door.name}`);
    const { topics, log, gate } = entrance;
    this.#entrance = entrance;
    this.#settings = settings;
    this.#context = {
      door: settings.door,
      realm: settings.realm,
      guards,
      topics,
      limits,
      heartbeat: settings.heartbeat,
      grace: settings.grace,
      counters: newDoorCounters(),
      webSockets: webSocketServer(limits, settings.door),
      attempts: gate,
      log,
    };
    const id = `listener.${settings.door.name}`;
    const doorAt = (at: DoorSettings['at'], name: string) => this.#doorSpec(at, name);
    const metricsAt = (at: Address, name: string) => this.#metricsSpec(at, name);
    this.#listener = new MovableChild({ id, specAt: doorAt }, settings.at);
    this.#metrics = new MovableChild<Address>({ id: `${id}-metrics`, specAt: metricsAt }, settings.metrics);
  }

  get listener(): ProcessName<ListenerMessage> {
    return processName(this.#listener.id);
  }

  /** The door as metrics and health see it. */
  get view(): DoorView {
    const { door, realm, counters } = this.#context;
    const format = this.#settings.formats[0] ?? null;
    return { name: door.name, realm, listener: this.listener.value, counters, format };
  }

  /** Its listeners, for the acceptor to start. */
  get specs(): ChildSpec[] {
    return [...this.#listener.specs, ...this.#metrics.specs];
  }

  /** Opens the door in a relay that runs: how its listeners come. Nobody is let in before `take`. */
  arrival(): DoorMoves {
    this.#coming = { id: this.#listener.id, settings: this.#settings };
    return { listener: this.#listener.arrival(), metrics: this.#metrics.arrival() };
  }

  /**
   * How its listeners get to the places of these settings; null: the door closes. At a new place nobody is let in before
   * `take`.
   */
  movesTo(settings: DoorSettings | null): DoorMoves {
    const listener = this.#listener.moveTo(settings?.at ?? null);
    const id = listener[0]?.next?.spec.id;
    this.#coming = settings === null || id === undefined ? null : { id, settings };
    return { listener, metrics: this.#metrics.moveTo(settings?.metrics ?? null) };
  }

  /** Why it could not speak as these settings say; null: it can. */
  fault({ tls }: DoorSettings): string | null {
    const found = tls === null ? null : readTls(tls);
    return found !== null && 'expected' in found ? `cannot speak TLS: ${found.expected} is missing` : null;
  }

  /** Takes new settings, whose places its listeners have reached. What it takes counts at once. */
  take({ settings, limits, guards }: DoorPlan): void {
    if (guards !== undefined && guards !== this.#context.guards) {
      // The connections that are open hold these very objects, and ask the new ones from now on.
      const forgotten = { needs: undefined, asksAll: undefined, patience: undefined };
      for (const kind of ['authenticator', 'apikeys', 'open'] as const)
        Object.assign(this.#context.guards[kind], forgotten, guards[kind]);
      tellConnections(this.#entrance, this.#context, { type: 'reguarded' });
    }
    const { door, heartbeat, grace } = settings;
    const fresh = { door, limits, heartbeat, grace, webSockets: webSocketServer(limits, door) };
    const sameLimits = isDeepStrictEqual(limits, this.#context.limits);
    Object.assign(this.#context, fresh satisfies Partial<DoorContext>);
    if (!sameLimits) tellConnections(this.#entrance, this.#context, { type: 'relimited' });
    this.#settings = settings;
    this.#coming = null;
  }

  /** Has its listener look at what it has taken. */
  reconfigure(): Promise<void> {
    return reconfigureListener(this.#entrance.system, this.listener);
  }

  /** Sends away the connections whose pid is at most `last`. */
  async drain(last: number): Promise<void> {
    const { system, log, draining } = this.#entrance;
    const door = this.#context.door.name;
    const args: DrainerArgs = {
      ...draining,
      log: {
        draining: (connections) => log.note('draining', { door, connections }),
        drained: (drained) => log.note('drained', { door, ...drained }),
      },
      stopAccepting: () => undefined,
      only: (pid) => pid.id <= last && isOf(this.#context, pid),
    };
    // Processes are numbered in the order of their start: no other drainer has this one's id.
    const id = `drainer.${door}.${system.counters.spawned}`;
    await addChild(system, ACCEPTOR, worker(id, drainer, args, { restart: 'temporary' }));
  }

  #doorSpec(at: DoorSettings['at'], id: string): ChildSpec {
    const { gate, startHandler, log } = this.#entrance;
    const args: ListenerArgs = {
      context: this.#context,
      at,
      currentEdge: () =>
        edgeOf(this.#coming?.id === id ? this.#coming.settings : this.#settings, this.#context),
      letsIn: () => this.#coming?.id !== id,
      gate,
      startHandler,
      log,
    };
    return worker(id, listener, args, { name: processName(id) });
  }

  #metricsSpec(at: Address, id: string): ChildSpec {
    const { topics, log } = this.#entrance;
    const { counters } = this.#context;
    const channels = () => countTopicsOf(topics, this.#settings);
    return worker(id, metricsListener, { ...at, counters, channels, log });
  }
}

function edgeOf(settings: DoorSettings, context: DoorContext): Edge {
  const { tls, openToSubscribers } = settings;
  return {
    ...settings,
    tls: tls === null ? null : () => readTls(tls),
    open: openToSubscribers || !isEmpty(context.guards.authenticator.anonymous),
  };
}

function countTopicsOf(topics: Topics, { realm, formats }: DoorSettings): number {
  let count = 0;
  for (const topic of topics.all()) {
    if (topic.realm === realm && topic.members.groups.some(({ format }) => formats.includes(format))) count++;
  }
  return count;
}

/** Whether a process is the handler of one of the door's connections. */
function isOf(context: DoorContext, pid: Pid<never>): boolean {
  const state = getState(pid);
  return state instanceof Connection && state.context === context;
}

/**
 * Tells all of the door's connections that their guards or limits have changed. A connection that has not begun yet
 * begins with what it finds in the context, which is new already.
 */
function tellConnections(
  { system, draining }: Entrance,
  context: DoorContext,
  news: Extract<ConnectionMessage, { readonly type: 'reguarded' | 'relimited' }>,
): void {
  const tell = (children: readonly ChildInfo[]) => {
    for (const { pid } of children)
      if (pid !== null && isOf(context, pid)) inform(pid as Pid<ConnectionMessage>, news);
  };
  for (const name of draining.connections) {
    const supervisor = whereis(system, name);
    // With their supervisor the connections are gone.
    if (supervisor !== undefined) whichChildren(supervisor, 0).then(tell, () => undefined);
  }
}

/** A timer of Node's fires at once when its delay does not fit 31 bits. */
const NEVER = 2 ** 31 - 1;

/** ws parses frames and answers closes; it neither listens nor compresses, and keeps no list of clients. */
function webSocketServer(limits: Limits, { protocols }: Door): WebSocketServer {
  // Newer than the published types.
  const timing: ServerOptions & { readonly closeTimeout: number } = {
    closeTimeout: limits.close === 0 ? NEVER : limits.close,
  };
  return new WebSocketServer({
    ...timing,
    noServer: true,
    WebSocket: DoorWebSocket,
    clientTracking: false,
    // See `WebSocketTransport.pinged`.
    autoPong: false,
    perMessageDeflate: false,
    maxPayload: limits.message,
    maxFragments: limits.fragments,
    // The handshake was judged by the same list, so one of them is spoken.
    handleProtocols: (offered) => chosenProtocol([...offered].join(), protocols) ?? false,
  });
}
