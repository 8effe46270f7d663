import type { Door, DoorRequest, Route } from '../contract.ts';
import { methodNotAllowed, upgradeRequired } from '../replies.ts';
import { pusuFormat } from './format.ts';
import { pusuSession } from './session.ts';

export interface PusuOptions {
  /** The longest channel, in characters; 0: no limit. */
  readonly topicLength: number;
}

/** PuSu: JSON frames over a WebSocket, on any path. */
export function pusuDoor({ topicLength }: PusuOptions): Door {
  const open: Route = {
    type: 'open',
    transport: 'websocket',
    format: pusuFormat,
    session: pusuSession(topicLength),
    guard: 'authenticator',
  };
  const wrongMethod = methodNotAllowed('GET');
  return {
    name: 'pusu',
    route({ method, upgrade }: DoorRequest): Route {
      if (method !== 'GET') return wrongMethod;
      return upgrade ? open : upgradeRequired;
    },
  };
}
