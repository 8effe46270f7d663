import test from 'ava';
import fc from 'fast-check';
import { authenticatorServer } from '../../src/authenticator/authenticator-server.ts';
import type { Authenticator } from '../../src/authenticator/contract.ts';
import { grantOf } from '../../src/authenticator/grant.ts';
import type { AuthenticatorEvent } from '../../src/authenticator/outage.ts';
import {
  allows,
  intersection,
  isPermissions,
  type Permissions,
} from '../../src/authenticator/permissions.ts';
import { asker, question } from '../authenticator/asker.ts';
import { spawnOk, testSystem } from '../support/otp.ts';

/** What every authenticator promises. `grants`: for each credential that it knows, some of what it opens and closes. */
export interface Subject {
  readonly make: () => Authenticator;
  readonly grants: readonly {
    readonly authorization: string;
    readonly read?: readonly string[];
    readonly write?: readonly string[];
    readonly neither?: readonly string[];
  }[];
}

const ODD = [
  '',
  ' ',
  '\0',
  '*',
  '\ud800',
  '__proto__',
  'constructor',
  'Bearer ',
  '{"$ne":null}',
  "' or 1=1 --",
  'sha256:',
  'x'.repeat(1_000_000),
];

export function authenticatorContract(name: string, { make, grants }: Subject): void {
  const known = new Set(grants.map(({ authorization }) => authorization));
  const topics = new Set(
    ['', 'a', '*', '__proto__'].concat(
      grants.flatMap(({ read = [], write = [], neither = [] }) => [...read, ...write, ...neither]),
    ),
  );
  const asked = async (authenticator: Authenticator, authorization: string) =>
    grantOf(await authenticator.authorise(question(authorization))).permissions;

  test(`${name}: a known credential opens what it should, and no more`, async (t) => {
    const authenticator = make();
    for (const { authorization, read = [], write = [], neither = [] } of grants) {
      const granted = await asked(authenticator, authorization);
      for (const topic of read) t.true(allows(granted, 'read', topic), `read ${topic}`);
      for (const topic of write) t.true(allows(granted, 'write', topic), `write ${topic}`);
      for (const topic of neither) {
        t.false(allows(granted, 'read', topic), `read ${topic}`);
        t.false(allows(granted, 'write', topic), `write ${topic}`);
      }
    }
    t.pass();
  });

  test(`${name}: every answer holds what everybody may do`, async (t) => {
    const authenticator = make();
    const { anonymous } = authenticator;
    for (const authorization of [...known, ...ODD]) {
      const granted = await asked(authenticator, authorization);
      t.true(isPermissions(granted));
      for (const topic of topics)
        for (const right of ['read', 'write'] as const)
          if (allows(anonymous, right, topic)) t.true(allows(granted, right, topic), `${right} ${topic}`);
    }
  });

  test(`${name}: an unknown credential grants what everybody has, and nothing beyond`, async (t) => {
    const authenticator = make();
    const near = [...known].flatMap((each) => [
      `${each} `,
      ` ${each}`,
      each.slice(0, -1),
      each.toUpperCase(),
    ]);
    const guess = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(...ODD.filter(({ length }) => length < 1000), ...near),
    );
    await fc.assert(
      fc.asyncProperty(guess, async (authorization) => {
        fc.pre(!known.has(authorization));
        t.deepEqual(canonical(await asked(authenticator, authorization)), canonical(authenticator.anonymous));
      }),
    );
  });

  test(`${name}: one client's answer is not changed by the next one's`, async (t) => {
    const authenticator = make();
    const before = await asked(authenticator, 'nobody’s');
    const copy = structuredClone(before);
    for (const authorization of known) await asked(authenticator, authorization);
    t.deepEqual(before, copy);
    t.deepEqual(await asked(authenticator, 'nobody’s'), copy);
  });

  test(`${name}: its process answers as it does itself`, async (t) => {
    const authenticator = make();
    const { system, quiet, reports } = testSystem();
    const events: AuthenticatorEvent[] = [];
    const log = (event: AuthenticatorEvent) => events.push(event);
    const server = spawnOk(system, authenticatorServer, { authenticator, log });
    const client = asker(system);
    const credentials = [...known, ...ODD];
    credentials.forEach((authorization, ref) => {
      client.ask(server, authorization, ref);
    });
    await quiet();
    const expected = await Promise.all(
      credentials.map(async (authorization, ref) => {
        return { type: 'authorised', ref, permissions: await asked(authenticator, authorization) };
      }),
    );
    t.deepEqual(
      client.answers.toSorted((a, b) => a.ref - b.ref),
      expected,
    );
    t.deepEqual(events, []);
    t.deepEqual(reports, []);
  });
}

/** The same rights, written in one way only. */
function canonical(permissions: Permissions): Permissions {
  return intersection(permissions, permissions);
}
