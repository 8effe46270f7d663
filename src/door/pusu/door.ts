import type { Door, DoorRequest, Route } from '../contract.ts';
import { browserCredentialOf } from '../credential.ts';
import { methodNotAllowed, upgradeRequired } from '../replies.ts';
import { SPOKEN } from '../subprotocol.ts';
import { pusuFormat } from './format.ts';
import { introducedSession, pusuSession } from './session.ts';

export interface PusuOptions {
  /** The longest channel, in characters; 0: no limit. */
  readonly topicLength: number;
}

/** PuSu: JSON frames over a WebSocket, on any path. */
export function pusuDoor({ topicLength }: PusuOptions): Door {
  const session = pusuSession(topicLength);
  const open = {
    type: 'open',
    transport: 'websocket',
    format: pusuFormat,
    session,
    guard: 'authenticator',
  } as const;
  const wrongMethod = methodNotAllowed('GET');
  return {
    name: 'pusu',
    protocols: SPOKEN.pusu,
    route(request: DoorRequest): Route {
      if (request.method !== 'GET') return wrongMethod;
      if (!request.upgrade) return upgradeRequired;
      const credential = browserCredentialOf(request);
      return credential === null ? open : { ...open, session: introducedSession(credential, session) };
    },
  };
}
