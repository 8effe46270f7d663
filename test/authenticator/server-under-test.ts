import {
  type AuthenticatorServerArgs,
  authenticatorServer,
} from '../../src/authenticator/authenticator-server.ts';
import type { Terms } from '../../src/authenticator/authorisation.ts';
import type { Authenticator, Question } from '../../src/authenticator/contract.ts';
import type { AuthenticatorEvent } from '../../src/authenticator/outage.ts';
import { everything, none, type Permissions } from '../../src/authenticator/permissions.ts';
import { spawnOk, testSystem } from '../support/otp.ts';
import { type Asker, asker } from './asker.ts';

export const SECRET = 'open sesame';

/** What an authenticator that is no good may come up with. */
export type Script = (question: Question) => unknown;

export function scripted(script: Script): Authenticator {
  return {
    name: 'Scripted',
    anonymous: none,
    authorise: (question) => script(question) as Permissions,
  };
}

export function setup(
  script: Script,
  options: Partial<AuthenticatorServerArgs> & { mailboxLimit?: number } = {},
) {
  const { mailboxLimit, ...args } = options;
  const world = testSystem();
  const events: AuthenticatorEvent[] = [];
  const server = spawnOk(
    world.system,
    authenticatorServer,
    { authenticator: scripted(script), log: (event) => events.push(event), ...args },
    mailboxLimit === undefined ? {} : { mailboxLimit },
  );
  const client = asker(world.system);
  return { ...world, server, client, events };
}

/** The terms of a right that is for good, until it is taken back. */
export const forGood: Terms = { subject: null, lasts: null, grace: 0, topic: null };

export function good(ref: number, permissions = everything) {
  return { type: 'authorised', ref, permissions, terms: forGood };
}

export function bad(ref: number) {
  return { type: 'unavailable', ref };
}

export function byRef(client: Asker) {
  return client.answers.toSorted((a, b) => a.ref - b.ref);
}

/** A promise for each question, to be settled by hand. */
export function byHand() {
  const settle: ((value: unknown) => void)[] = [];
  const fail: ((error: unknown) => void)[] = [];
  const script = () =>
    new Promise((resolve, reject) => {
      settle.push(resolve);
      fail.push(reject);
    });
  return { script, settle, fail };
}
