import type { Dialect } from '../contract.ts';
import { type Greeting, PROTOCOL, ping } from './codec.ts';
import { fanfareFormat } from './format.ts';
import { fanfareSession, introducedSession } from './session.ts';

/** fanfare.1, for the PuSu door to speak with clients that offer it. */
export function fanfareDialect(greeting: Greeting): Dialect {
  const session = fanfareSession(greeting);
  const open = {
    type: 'open',
    transport: 'websocket',
    format: fanfareFormat,
    session,
    guard: 'authenticator',
    ping,
  } as const;
  return {
    protocol: PROTOCOL,
    route: (credential) =>
      credential === null ? open : { ...open, session: introducedSession(credential, greeting, session) },
  };
}
