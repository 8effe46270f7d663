import { inspect } from 'node:util';
import { type AuthenticatorMessage, authorise } from '../../src/authenticator/authenticator-server.ts';
import type { Authorisation } from '../../src/authenticator/authorisation.ts';
import { grantOf } from '../../src/authenticator/authorisation.ts';
import type { Authenticator, Question } from '../../src/authenticator/contract.ts';
import type { Permissions } from '../../src/authenticator/permissions.ts';
import { type Behaviour, keep } from '../../src/otp/behaviour.ts';
import type { Pid, Self } from '../../src/otp/process.ts';
import type { ProcessName } from '../../src/otp/registry.ts';
import type { System } from '../../src/otp/system.ts';
import { spawnOk } from '../support/otp.ts';

export function question(authorization: string): Question {
  return { authorization, door: 'pusu', address: '127.0.0.1' };
}

/** What a credential opens. */
export async function permissionsFor(
  authenticator: Authenticator,
  authorization: string,
): Promise<Permissions> {
  return grantOf(await authenticator.authorise(question(authorization))).permissions;
}

/** A process that asks, and writes the answers down. */
export interface Asker {
  readonly answers: Authorisation[];
  readonly pid: Pid<Authorisation>;
  readonly system: System;
  ask(
    server: Pid<AuthenticatorMessage> | ProcessName<AuthenticatorMessage>,
    authorization: string,
    ref: number,
  ): boolean;
  put(server: Pid<AuthenticatorMessage>, asked: Question, ref: number): boolean;
}

export function asker(system: System): Asker {
  const answers: Authorisation[] = [];
  const behaviour: Behaviour<null, Self<Authorisation>, Authorisation> = {
    name: 'asker',
    init: (self) => self,
    handle(_state, message) {
      answers.push(message);
      return keep;
    },
  };
  const pid = spawnOk(system, behaviour, null);
  // The pid of a process that runs here is what the process itself has in its hands.
  const self = pid as Self<Authorisation>;
  return {
    answers,
    pid,
    system,
    put: (server, asked, ref) => authorise(server, asked, self, ref),
    ask: (server, authorization, ref) => authorise(server, question(authorization), self, ref),
  };
}

/** All that a tool would print of a value, however deep. */
export function printed(value: unknown): string {
  return `${inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true })} ${String(value)}`;
}
