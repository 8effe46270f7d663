import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type Behaviour, keep } from '../otp/behaviour.ts';
import { type ChildSpec, worker } from '../otp/child-spec.ts';
import {
  type DynamicSupervisorMessage,
  dynamicSupervisor,
  startDynamicChild,
} from '../otp/dynamic-supervisor.ts';
import { processName, whereis } from '../otp/registry.ts';
import { supervisor } from '../otp/supervisor.ts';
import type { System } from '../otp/system.ts';
import type { MemberMessage } from '../topic/topic.ts';
import type { Audit } from '../view/audit.ts';
import type { NodeView } from '../view/relay-view.ts';
import { attachListener, type RelayLog } from './attach-listener.ts';
import { type AttachSessionArgs, type AttachSessionMessage, attachSession } from './attach-session.ts';
import { operations } from './operations.ts';
import { SOCKET_FILE } from './protocol.ts';
import type { StrayErrors } from './stray-errors.ts';

export interface AttachOptions {
  /** The node's folder for what it makes as it runs. */
  readonly folder: string;
  readonly evaluation: boolean;
  /** Milliseconds that what is evaluated may hold up the relay. */
  readonly turn: number;
  readonly log: RelayLog;
  readonly audit: Audit;
  /** Told which errors are of sessions. */
  readonly strays: StrayErrors;
}

type SessionsMessage = DynamicSupervisorMessage<AttachSessionArgs, AttachSessionMessage>;

/**
 * `attach`: its part of the supervision tree. When it has used up its restarts it stays down, and the relay lives on:
 * tools that look at a relay must not take it down.
 */
export function attachSpec(system: System, node: NodeView, options: AttachOptions): ChildSpec {
  const { folder, evaluation, turn, audit, strays } = options;
  const sessions = processName<SessionsMessage>('attach.sessions');
  const publisher = processName<MemberMessage>('attach.publisher');
  const startSession = (socket: Socket) => {
    const to = whereis(system, sessions);
    return (
      to !== undefined &&
      startDynamicChild(
        to,
        { socket, node, operations, evaluation, turn, audit, strays, publisher },
        () => undefined,
      )
    );
  };
  const template = {
    behaviour: attachSession,
    restart: 'temporary',
    abandoned: ({ socket }: AttachSessionArgs) => socket.destroy(),
  } as const;
  return supervisor(
    'attach',
    { strategy: 'one_for_one', intensity: 5, period: 5000 },
    [
      worker('attach.publisher', deaf, null, { name: publisher }),
      dynamicSupervisor('attach.sessions', template, { name: sessions }),
      worker(
        'attach.listener',
        attachListener,
        { path: join(folder, SOCKET_FILE), startSession, log: options.log },
        { name: processName('attach.listener') },
      ),
    ],
    { restart: 'transient' },
  );
}

/** In whose name an operator publishes: what its topics answer is of no interest. */
const deaf: Behaviour<null, null, MemberMessage> = {
  name: 'attach-publisher',
  init: () => null,
  handle: () => keep,
};
