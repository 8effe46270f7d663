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
import { mustMakeWay, whyNotMoved } from '../http/port.ts';
import type { Log } from '../log/log.ts';
import { type ChildInfo, type ChildSpec, worker } from '../otp/child-spec.ts';
import { addChild, removeChild, replaceChild } from '../otp/children.ts';
import { inform, type Pid } from '../otp/process.ts';
import { type ProcessName, processName, whereis } from '../otp/registry.ts';
import { type SupervisorMessage, whichChildren } from '../otp/supervisor.ts';
import { getState } from '../otp/sys.ts';
import type { System } from '../otp/system.ts';
import type { Topics } from '../topic/topics.ts';
import type { DoorView } from '../view/relay-view.ts';
import type { DoorSettings } from './doors.ts';

/** What every door of a relay is made with. */
export interface Entrance {
  readonly system: System;
  readonly acceptor: ProcessName<SupervisorMessage>;
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

/** The children of the acceptor that serve one door. */
interface Listeners {
  readonly door: ProcessName<ListenerMessage>;
  readonly metrics: ProcessName<ListenerMessage> | null;
}

/**
 * One door that is open, and how it changes while the relay runs. What all its connections share is one object, which
 * is changed in place: who reads a limit from it at the time of need has the new one at once.
 */
export class OpenDoor {
  readonly #entrance: Entrance;
  readonly #context: DoorContext;
  #settings: DoorSettings;
  #listeners: Listeners;
  /** Of the listeners: those of one place do not have the names of the place before. */
  #generation: number;

  constructor(
    entrance: Entrance,
    { settings, limits, guards }: DoorPlan & { readonly guards: DoorContext['guards'] },
    generation: number,
  ) {
    const { topics, log, gate } = entrance;
    this.#entrance = entrance;
    this.#generation = generation;
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
    this.#listeners = this.#namesOf(settings);
  }

  get listener(): ProcessName<ListenerMessage> {
    return this.#listeners.door;
  }

  /** As metrics and health see it. */
  get view(): DoorView {
    const { door, realm, counters } = this.#context;
    const format = this.#settings.formats[0] ?? null;
    return { name: door.name, realm, listener: this.listener.value, counters, format };
  }

  /** Its listeners, for the acceptor to start. */
  get specs(): ChildSpec[] {
    const { door, metrics } = this.#listeners;
    return [this.#doorSpec(door), ...(metrics === null ? [] : [this.#metricsSpec(metrics)])];
  }

  /** Opens it in a relay that runs. Null, or why it cannot be opened. */
  start(): Promise<string | null> {
    return this.#start(this.specs);
  }

  /** Takes new settings, and closes no more for them than it must. Null, or what could not be done. */
  async change({ settings, limits, guards }: DoorPlan, generation: number): Promise<string | null> {
    this.#generation = generation;
    if (guards !== undefined) {
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
    const errors = [await this.#changeDoor(settings), await this.#changeMetrics(settings)];
    await reconfigureListener(this.#entrance.system, this.listener);
    return errors.filter((error) => error !== null).join('; ') || null;
  }

  /** Nobody comes in any more, and who is in is sent away. */
  async close(generation: number): Promise<void> {
    this.#generation = generation;
    await this.#stop(this.#listeners);
    await this.#drain(this.#entrance.system.counters.spawned);
  }

  /**
   * Another place opens before the old one closes, whose clients are told to come again. Where both cannot be open at
   * once the old one makes way, and its clients stay: they are at the same port still.
   */
  async #changeDoor(settings: DoorSettings): Promise<string | null> {
    const { system, acceptor } = this.#entrance;
    const before = this.#settings;
    const tls = edgeOf(settings, this.#context).tls?.() ?? null;
    if (tls !== null && 'expected' in tls) return `cannot speak TLS: ${tls.expected} is missing`;
    const old = this.#doorSpec(this.#listeners.door);
    this.#settings = { ...settings, metrics: before.metrics };
    if (samePlace(before.at, settings.at)) return null;
    const lastBefore = system.counters.spawned;
    const { door } = this.#namesOf(settings);
    const replaced = await replaceChild(system, acceptor, { old, next: this.#doorSpec(door) }, (failure) =>
      mustMakeWay(before.at, settings.at, failure),
    );
    if (!replaced.ok) {
      this.#settings = before;
      return whyNotMoved(replaced);
    }
    this.#listeners = { ...this.#listeners, door };
    if (!replaced.madeWay) await this.#drain(lastBefore);
    return null;
  }

  async #changeMetrics({ metrics: place, ...settings }: DoorSettings): Promise<string | null> {
    const { system, acceptor } = this.#entrance;
    const before = this.#settings;
    if (samePlace(before.metrics, place)) return null;
    const { door, metrics: name } = this.#listeners;
    const old = name === null ? null : this.#metricsSpec(name);
    const { metrics } = this.#namesOf({ ...settings, metrics: place });
    this.#settings = { ...before, metrics: place };
    if (old !== null && metrics !== null) {
      const next = this.#metricsSpec(metrics);
      const replaced = await replaceChild(system, acceptor, { old, next }, (failure) =>
        mustMakeWay(before.metrics, place, failure),
      );
      if (!replaced.ok) {
        this.#settings = before;
        return whyNotMoved(replaced);
      }
    } else if (old !== null) await removeChild(system, acceptor, old.id);
    else if (metrics !== null) {
      const error = await this.#start([this.#metricsSpec(metrics)]);
      if (error !== null) {
        this.#settings = before;
        return error;
      }
    }
    this.#listeners = { door, metrics };
    return null;
  }

  /** All of them, or none. */
  async #start(specs: readonly ChildSpec[]): Promise<string | null> {
    const { system, acceptor } = this.#entrance;
    for (const spec of specs) {
      const result = await addChild(system, acceptor, spec);
      if (result.ok) continue;
      for (const { id } of specs) await removeChild(system, acceptor, id);
      return result.error;
    }
    return null;
  }

  async #stop({ door, metrics }: Listeners): Promise<void> {
    const { system, acceptor } = this.#entrance;
    await removeChild(system, acceptor, door.value);
    if (metrics !== null) await removeChild(system, acceptor, metrics.value);
  }

  /** Sends away its connections that came up to then. */
  async #drain(last: number): Promise<void> {
    const { system, acceptor, log, draining } = this.#entrance;
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
    const id = `drainer.${door}.${this.#generation}`;
    await addChild(system, acceptor, worker(id, drainer, args, { restart: 'temporary' }));
  }

  #namesOf({ door, metrics }: DoorSettings): Listeners {
    const suffix = this.#generation === 0 ? '' : `.${this.#generation}`;
    return {
      door: processName(`listener.${door.name}${suffix}`),
      metrics: metrics === null ? null : processName(`listener.${door.name}-metrics${suffix}`),
    };
  }

  #doorSpec(name: ProcessName<ListenerMessage>): ChildSpec {
    const { gate, startHandler, log } = this.#entrance;
    const args: ListenerArgs = {
      context: this.#context,
      at: this.#settings.at,
      edge: () => edgeOf(this.#settings, this.#context),
      gate,
      startHandler,
      log,
    };
    return worker(name.value, listener, args, { name });
  }

  #metricsSpec({ value }: ProcessName<ListenerMessage>): ChildSpec {
    const { topics, log } = this.#entrance;
    const settings = this.#settings;
    if (settings.metrics === null) throw new Error(`${value} has no place`);
    return worker(value, metricsListener, {
      ...settings.metrics,
      counters: this.#context.counters,
      channels: () => countTopicsOf(topics, settings),
      log,
    });
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

function samePlace(a: DoorSettings['at'] | null, b: DoorSettings['at'] | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
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

/** ws parses frames, answers pings and closes; it neither listens nor compresses, and keeps no list of clients. */
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
    perMessageDeflate: false,
    maxPayload: limits.message,
    maxFragments: limits.fragments,
    // Of the same list the handshake was judged by: there is one.
    handleProtocols: (offered) => chosenProtocol([...offered].join(), protocols) ?? false,
  });
}
