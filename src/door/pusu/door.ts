import type { Dialect, Door, DoorRequest, Route } from '../contract.ts';
import { browserCredentialOf } from '../credential.ts';
import { methodNotAllowed, upgradeRequired } from '../replies.ts';
import { chosenProtocol, SPOKEN } from '../subprotocol.ts';
import { pusuFormat } from './format.ts';
import { introducedSession, pusuSession } from './session.ts';

export interface PusuOptions {
  /** The longest channel, in characters; 0: no limit. */
  readonly topicLength: number;
  /** What else it speaks, with clients that offer it. */
  readonly dialect?: Dialect;
}

/** PuSu: JSON frames over a WebSocket, on any path. */
export function pusuDoor({ topicLength, dialect }: PusuOptions): Door {
  const session = pusuSession(topicLength);
  const open = {
    type: 'open',
    transport: 'websocket',
    format: pusuFormat,
    session,
    guard: 'authenticator',
  } as const;
  const protocols = dialect === undefined ? SPOKEN.pusu : [...SPOKEN.pusu, dialect.protocol];
  const wrongMethod = methodNotAllowed('GET');
  return {
    name: 'pusu',
    protocols,
    route(request: DoorRequest): Route {
      if (request.method !== 'GET') return wrongMethod;
      if (!request.upgrade) return upgradeRequired;
      const credential = browserCredentialOf(request);
      const offer = request.header('sec-websocket-protocol');
      if (offer !== undefined && chosenProtocol(offer, protocols) === dialect?.protocol)
        return dialect.route(credential);
      return credential === null ? open : { ...open, session: introducedSession(credential, session) };
    },
  };
}
