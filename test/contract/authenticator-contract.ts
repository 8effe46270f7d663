import test, { type ExecutionContext, type ImplementationFn } from 'ava';
import fc from 'fast-check';
import { authenticatorServer } from '../../src/authenticator/authenticator-server.ts';
import { grantOf } from '../../src/authenticator/authorisation.ts';
import type { Access, Authenticator, Question } from '../../src/authenticator/contract.ts';
import type { AuthenticatorEvent } from '../../src/authenticator/outage.ts';
import {
  allows,
  intersection,
  isPermissions,
  type Permissions,
  type Right,
} from '../../src/authenticator/permissions.ts';
import { asker, question } from '../authenticator/asker.ts';
import { eventually } from '../support/arrivals.ts';
import { spawnOk, testSystem } from '../support/otp.ts';

/** What every authenticator promises. `grants`: for each credential that it knows, some of what it opens and closes. */
export interface Subject {
  readonly make: (t: ExecutionContext) => Authenticator | Promise<Authenticator>;
  /** In place of ava's `test`, for an authenticator whose back end may be missing. */
  readonly runs?: (title: string, implementation: ImplementationFn<[]>) => void;
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

export function authenticatorContract(name: string, { make, grants, runs = test }: Subject): void {
  const known = new Set(grants.map(({ authorization }) => authorization));
  const topics = new Set(
    ['', 'a', '*', '__proto__'].concat(
      grants.flatMap(({ read = [], write = [], neither = [] }) => [...read, ...write, ...neither]),
    ),
  );
  const asked = async (
    authenticator: Authenticator,
    authorization: string,
    topic = 'a',
    right: Right = 'read',
  ) =>
    grantOf(await authenticator.authorise(questionFor(authenticator, authorization, topic, right)))
      .permissions;

  runs(`${name}: a known credential opens what it should, and no more`, async (t) => {
    const authenticator = await make(t);
    for (const { authorization, read = [], write = [], neither = [] } of grants) {
      const may = async (right: Right, topic: string) =>
        allows(await asked(authenticator, authorization, topic, right), right, topic);
      for (const topic of read) t.true(await may('read', topic), `read ${topic}`);
      for (const topic of write) t.true(await may('write', topic), `write ${topic}`);
      for (const topic of neither) {
        t.false(await may('read', topic), `read ${topic}`);
        t.false(await may('write', topic), `write ${topic}`);
      }
    }
    t.pass();
  });

  runs(`${name}: every answer holds what everybody may do`, async (t) => {
    const authenticator = await make(t);
    const { anonymous } = authenticator;
    for (const authorization of [...known, ...ODD]) {
      const granted = await asked(authenticator, authorization);
      t.true(isPermissions(granted));
      for (const topic of topics)
        for (const right of ['read', 'write'] as const)
          if (allows(anonymous, right, topic)) t.true(allows(granted, right, topic), `${right} ${topic}`);
    }
  });

  runs(`${name}: an unknown credential grants what everybody has, and nothing beyond`, async (t) => {
    const authenticator = await make(t);
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

  runs(`${name}: one client's answer is not changed by the next one's`, async (t) => {
    const authenticator = await make(t);
    const before = await asked(authenticator, 'nobody’s');
    const copy = structuredClone(before);
    for (const authorization of known) await asked(authenticator, authorization);
    t.deepEqual(before, copy);
    t.deepEqual(await asked(authenticator, 'nobody’s'), copy);
  });

  runs(`${name}: its process answers as it does itself`, async (t) => {
    const authenticator = await make(t);
    const { system, quiet, reports } = testSystem();
    const events: AuthenticatorEvent[] = [];
    const log = (event: AuthenticatorEvent) => events.push(event);
    const server = spawnOk(system, authenticatorServer, { authenticator, log, timeout: 60_000 });
    const client = asker(system);
    const credentials = [...known, ...ODD];
    credentials.forEach((authorization, ref) => {
      client.put(server, questionFor(authenticator, authorization, 'a', 'read'), ref);
    });
    await quiet();
    // The first answer to each: an authenticator that is watched may be asked again.
    const first = () => credentials.map((_, ref) => client.answers.find((answer) => answer.ref === ref));
    await eventually(() => !first().includes(undefined), 'every question is answered');
    const expected = await Promise.all(
      credentials.map(async (authorization, ref) => {
        return { type: 'authorised', ref, permissions: await asked(authenticator, authorization) };
      }),
    );
    const answers = first().map((answer) =>
      answer?.type === 'authorised'
        ? { type: answer.type, ref: answer.ref, permissions: answer.permissions }
        : answer,
    );
    t.deepEqual(answers, expected);
    t.deepEqual(events, []);
    t.deepEqual(reports, []);
  });
}

/** All that such an authenticator may be told. */
function questionFor({ needs }: Authenticator, authorization: string, topic: string, right: Right): Question {
  const request = { method: 'GET', target: '/', headers: [] };
  const access: Access = {
    topic,
    right,
    rights: { read: right === 'read', write: right === 'write' },
    method: right === 'read' ? 'GET' : 'POST',
    target: `/${encodeURIComponent(topic)}`,
    topicAt: (path) => path.slice(1),
  };
  return {
    ...question(authorization),
    ...(needs === undefined ? {} : { request }),
    ...(needs === 'topic' ? { access } : {}),
  };
}

/** The same rights, written in one way only. */
function canonical(permissions: Permissions): Permissions {
  return intersection(permissions, permissions);
}
