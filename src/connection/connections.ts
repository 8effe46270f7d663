import { type ChildSpec, worker } from '../otp/child-spec.ts';
import {
  type DynamicSupervisorMessage,
  dynamicSupervisor,
  startDynamicChild,
} from '../otp/dynamic-supervisor.ts';
import { type ProcessName, processName, whereis } from '../otp/registry.ts';
import { supervisor } from '../otp/supervisor.ts';
import type { System } from '../otp/system.ts';
import type { ConnectionArgs, ConnectionMessage } from './connection.ts';
import { abandon, connectionHandler } from './connection-handler.ts';
import { SILENCE, silenceServer } from './silence-server.ts';
import { readSent } from './tcp-table.ts';

/** Partitions, so that no supervisor has all connections to look after. */
const PARTITIONS = 8;
/** Milliseconds that a handler has to end once it is told to; the drainer has given it more before that. */
const SHUTDOWN = 2000;

export type ConnectionSupervisorMessage = DynamicSupervisorMessage<ConnectionArgs, ConnectionMessage>;

/** The handlers of all client connections, and their part of the supervision tree. */
export class Connections {
  readonly partitions: readonly ProcessName<ConnectionSupervisorMessage>[] = Array.from(
    { length: PARTITIONS },
    (_, index) => processName(`connections.${index}`),
  );
  #next = 0;

  /** `connections`: a handler that crashes stays down, and its socket with it. */
  get spec(): ChildSpec {
    const template = {
      behaviour: connectionHandler,
      restart: 'temporary',
      shutdown: SHUTDOWN,
      abandoned: abandon,
    } as const;
    return supervisor('connections', { strategy: 'one_for_one', intensity: 5, period: 5000 }, [
      worker(SILENCE.value, silenceServer, readSent, { name: SILENCE }),
      ...this.partitions.map((name) => dynamicSupervisor(name.value, template, { name })),
    ]);
  }

  /** Starts a handler, in each partition in turn. False: nobody can. */
  start(system: System, args: ConnectionArgs): boolean {
    for (let tries = 0; tries < PARTITIONS; tries++) {
      const name = this.partitions[this.#next++ % PARTITIONS] as ProcessName<ConnectionSupervisorMessage>;
      const partition = whereis(system, name);
      if (
        partition !== undefined &&
        startDynamicChild(partition, args, (result) => !result.ok && abandon(args))
      )
        return true;
    }
    return false;
  }
}
