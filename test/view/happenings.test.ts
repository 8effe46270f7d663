import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { OwnWords } from '../../src/secret/redaction.ts';
import { type HappeningKind, Happenings, TOLD } from '../../src/view/happenings.ts';
import { packageRoot } from '../support/relay-process.ts';

function at(start = 0) {
  const clock = { now: start };
  const happened = new Happenings(() => clock.now);
  const rows = (kind?: HappeningKind) =>
    Array.from(happened.newest(kind), ({ of, what, count }) => [of, String(what), count] as const);
  return { clock, happened, rows };
}

test('of each kind the last thousand are kept, however many there are of others', (t) => {
  const { happened, rows } = at();
  happened.logged('reloaded', { by: 'SIGHUP', applied: ['limits.pending'], reread: [], needsRestart: [] });
  for (let i = 1; i <= 1001; i++) happened.logged('unlinked', { peer: `relay-${i}`, why: 'it was silent' });
  for (let i = 0; i < 100_000; i++) happened.closed('pusu', 1013, 'slow');
  t.deepEqual(rows('reload'), [['SIGHUP', 'applied: limits.pending', 1]]);
  t.is(rows('link').length, 1000);
  t.deepEqual(rows('link').at(-1), ['relay-2', 'down: it was silent', 1]);
  t.is(rows().length, 1002);
});

test('closes are counted by door and reason, a row for each minute', (t) => {
  const { clock, happened, rows } = at(59_999);
  for (let i = 0; i < 3; i++) happened.closed('pusu', 1013, 'slow');
  happened.closed('pusu', 1001, 'going away');
  clock.now = 60_000;
  happened.closed('pusu', 1013, 'slow');
  happened.refused('pinghub', 'connections');
  t.deepEqual(rows('close'), [
    ['pusu', '1013 slow', 1],
    ['pusu', '1001 going away', 1],
    ['pusu', '1013 slow', 3],
  ]);
  t.deepEqual(rows('refusal'), [['pinghub', 'connections', 1]]);
});

test('a row of closes is as late as the last of them', (t) => {
  const { clock, happened } = at(1);
  happened.closed('pusu', 1013, 'slow');
  clock.now = 9;
  happened.closed('pusu', 1013, 'slow');
  t.deepEqual(
    Array.from(happened.newest('close'), (row) => row.at),
    [9],
  );
});

test('of one minute fifty reasons are told apart, and those beyond are counted together', (t) => {
  const { happened, rows } = at();
  for (let i = 0; i < 60; i++) happened.closed('pusu', 1000, `reason ${i}`);
  t.is(rows('close').length, 51);
  t.deepEqual(rows('close')[0], ['-', 'other reasons', 10]);
});

test('two thousand rows of closes are kept', (t) => {
  const { clock, happened, rows } = at();
  for (let i = 0; i <= 2000; i++) {
    clock.now = i * 60_000;
    happened.closed('pusu', 1000, 'x');
  }
  t.is(rows('close').length, 2000);
});

test('a reload says who asked, what changed and what needs a restart, or why it was refused', (t) => {
  const { happened, rows } = at();
  const none = { applied: [], reread: [], needsRestart: [] };
  happened.logged('reloaded', { ...none, by: 'root' });
  happened.logged('reloaded', { by: 'root', applied: ['a'], reread: ['b'], needsRestart: ['c', 'd'] });
  happened.logged('not reloaded', {
    ...none,
    by: 'root',
    errors: [new OwnWords('relay.yaml:2 admin.token: expected a text'), 'token: hunter2'],
  });
  t.deepEqual(
    rows('reload').map(([, what]) => what),
    [
      'refused: relay.yaml:2 admin.token: expected a text; token: [hidden]',
      'applied: a; read anew: b; needs a restart: c, d',
      'nothing has changed',
    ],
  );
});

test('links say up, down and why, and what was lost with them', (t) => {
  const { happened, rows } = at();
  happened.logged('linked', { peer: 'b', address: 'h:1', missed: 3, lost: 0 });
  happened.logged('unlinked', { peer: 'b', address: 'h:1', why: 'it said goodbye' });
  happened.logged('not linked', { address: 'h:1', why: 'ECONNREFUSED' });
  happened.logged('unlinked', { peer: 'c', over: 'nats' });
  happened.logged('while it was away', { peer: 'b', dropped: 309 });
  t.deepEqual(rows('link').toReversed(), [
    ['b', 'up, 3 missed', 1],
    ['b', 'down: it said goodbye', 1],
    ['h:1', 'cannot be linked: ECONNREFUSED', 1],
    ['c', 'down: not heard over nats', 1],
    ['b', '309 messages for it were dropped while it was away', 1],
  ]);
});

test('what operators only look at is left out, and what they do is there with what came of it', (t) => {
  const { happened, rows } = at();
  const by = 'prompt';
  happened.acted({ by, who: 'root', what: 'topics()', outcome: 'done', isLook: true });
  happened.acted({ by, who: 'root', what: 'kill(<88>)', outcome: 'done' });
  happened.acted({ by: 'page', who: '127.0.0.1', what: 'kill <89>', outcome: 'refused: no' });
  happened.acted({ by: 'signal', who: 'unknown', what: 'SIGHUP', outcome: 'heard' });
  t.deepEqual(rows('operator').toReversed(), [
    ['root', 'prompt: kill(<88>)', 1],
    ['127.0.0.1', 'page: kill <89>: refused: no', 1],
    ['signal', 'SIGHUP', 1],
  ]);
});

test('no secret is kept, and no text is longer than it needs to be', (t) => {
  const { happened, rows } = at();
  happened.acted({
    by: 'prompt',
    who: 'root',
    what: "fetch('http://a:b@c', 'Bearer abcdefgh')",
    outcome: 'done',
  });
  happened.logged('unlinked', { peer: 'secret=abc', why: 'x'.repeat(1000) });
  happened.closed('pusu', 1008, 'token=abc');
  const texts = rows().flat().join('\n');
  t.notRegex(texts, /a:b@|abcdefgh|=abc/);
  t.is(rows('link')[0]?.[1].length, 301);
});

test('a line of the log that tells of nothing that happened is none', (t) => {
  const { happened, rows } = at();
  happened.logged('console', { socket: '/run/x' });
  happened.logged('toString', {});
  t.deepEqual(rows(), []);
});

test('each line of the log that the time line is made of is said somewhere', (t) => {
  const folder = join(packageRoot, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('happenings.ts'),
  );
  const source = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
  for (const message of TOLD.keys()) t.true(source.includes(`'${message}'`), message);
});
