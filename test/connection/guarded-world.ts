import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import {
  type AuthenticatorMessage,
  authenticatorServer,
} from '../../src/authenticator/authenticator-server.ts';
import type { Authorisation } from '../../src/authenticator/authorisation.ts';
import type { Authenticator, ClientRequest } from '../../src/authenticator/contract.ts';
import type { AuthenticatorEvent } from '../../src/authenticator/outage.ts';
import type { StandingAnswers } from '../../src/authenticator/standing.ts';
import type { Limits } from '../../src/config/config.ts';
import type { Connection, ConnectionMessage } from '../../src/connection/connection.ts';
import { connectionHandler } from '../../src/connection/connection-handler.ts';
import type { Guard } from '../../src/connection/door-context.ts';
import type { Closed } from '../../src/connection/end.ts';
import type { Transport } from '../../src/connection/transport/transport.ts';
import type { Door, HttpReply } from '../../src/door/contract.ts';
import { pusuDoor } from '../../src/door/pusu/door.ts';
import { type Pid, send } from '../../src/otp/process.ts';
import { processName } from '../../src/otp/registry.ts';
import { getState } from '../../src/otp/sys.ts';
import { doorRequest, type RequestParts } from '../door/door-request.ts';
import { parseFrames } from '../door/parse-frames.ts';
import { spawnOk } from '../support/otp.ts';
import { topicsWorld } from '../topic/topics-world.ts';
import { doorContext } from './connection-world.ts';

/** A client whose handler is real and whose socket is not. */
export interface TestClient {
  readonly pid: Pid<ConnectionMessage>;
  /** Texts of the frames that it has got. */
  readonly got: string[];
  /** `1008 revoked`, when the handler has closed it; `destroyed`; or `reply 403`. */
  readonly ended: string | null;
  send(frame: object): void;
  state(): Connection;
}

const limits = {
  message: 65536,
  messageBeforeAuth: 4096,
  topicLength: 256,
  topicsPerConnection: 128,
  pending: 1_048_576,
  writeStall: 0,
  authorise: 60_000,
} as Limits;

/**
 * Connections of one door, judged by one authenticator, on a clock that is wound by hand; 0 is 1970. With `standing` it
 * may be replaced by another one.
 */
export function guardedWorld(
  authenticator: Authenticator,
  door: Door = pusuDoor({ topicLength: 256 }),
  standing?: StandingAnswers<Authorisation>,
) {
  const world = topicsWorld();
  const { system, topics, clock } = world;
  const name = processName<AuthenticatorMessage>('authenticator');
  const events: AuthenticatorEvent[] = [];
  let replaced = 0;
  const closed: Closed[] = [];
  const args = {
    authenticator,
    ...(standing === undefined ? {} : { standing }),
    log: (event: AuthenticatorEvent) => events.push(event),
    wallClock: () => clock.now(),
  };
  const server = spawnOk(system, authenticatorServer, args, { name: name.value });
  const guard: Guard = { ...guardOf(authenticator), server: name };
  const context = doorContext(guard, {
    door,
    topics,
    limits,
    log: { closed: (line) => closed.push(line), refused: () => undefined },
  });

  function connect(parts: RequestParts = { upgrade: true }, request?: ClientRequest): TestClient {
    const route = door.route(doorRequest(parts));
    if (route.type === 'reply') throw new Error(`refused: ${route.status}`);
    const got: string[] = [];
    let ended: string | null = null;
    const transport: Transport = {
      kind: route.transport,
      socket: fakeSocket((bytes) => got.push(...parseFrames(bytes).map(({ payload }) => String(payload)))),
      attach: () => true,
      accept: () => true,
      reply: ({ status }: HttpReply) => {
        ended = `reply ${status}`;
      },
      close: (code, reason) => {
        ended = `${code} ${reason}`;
      },
      destroy: () => {
        ended ??= 'destroyed';
      },
    };
    const pid = spawnOk(system, connectionHandler, {
      context,
      guard,
      transport,
      session: route.session,
      format: route.format,
      address: '192.0.2.1',
      ...(route.about === undefined ? {} : { about: route.about }),
      request,
    });
    return {
      pid,
      got,
      get ended() {
        return ended;
      },
      send: (frame) => send(pid, { type: 'text', payload: Buffer.from(JSON.stringify(frame)) }),
      state: () => getState(pid) as Connection,
    };
  }

  /** As a reload does it: the new one is there, and at work, before the connections are told. */
  async function replace(next: Authenticator, ...clients: readonly TestClient[]): Promise<void> {
    replaced++;
    const successor = processName<AuthenticatorMessage>(`authenticator.${replaced}`);
    spawnOk(system, authenticatorServer, { ...args, authenticator: next }, { name: successor.value });
    await world.quiet();
    Object.assign(guard, { needs: undefined, asksAll: undefined }, guardOf(next), { server: successor });
    for (const { pid } of clients) send(pid, { type: 'reguarded' });
    await world.quiet();
  }

  return { ...world, server, events, closed, connect, replace };
}

function guardOf({ anonymous, needs, asksAll }: Authenticator) {
  return {
    anonymous,
    ...(needs === undefined ? {} : { needs }),
    ...(asksAll === undefined ? {} : { asksAll }),
  };
}

/** Takes all that is written, at once. */
function fakeSocket(write: (bytes: Buffer) => void): Socket {
  const socket = new PassThrough();
  socket.on('data', write);
  return Object.assign(socket, { bytesRead: 0 }) as unknown as Socket;
}
