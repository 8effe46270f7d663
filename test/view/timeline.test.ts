import test from 'ava';
import type { Report } from '../../src/otp/reports.ts';
import { History } from '../../src/view/history.ts';
import { type Span, timeline } from '../../src/view/timeline.ts';

function world() {
  const clock = { now: 0 };
  const history = new History(10, () => clock.now);
  const look = (span: Span = {}, limit = 100, offset = 0) => {
    const { rows, total } = timeline({ history }, span, { limit, offset });
    return { total, rows: rows.map(({ at, kind, of, what }) => `${at} ${kind} ${of} ${what}`) };
  };
  return { clock, history, look };
}

const crash: Report = {
  type: 'crash',
  pid: '<8>',
  name: null,
  initialCall: 'topic-server',
  about: 'topic:main:a',
  reason: 'Error: x',
  stack: [],
  ancestors: [],
  mailboxLength: 0,
  links: [],
};

function terminated(restart: string): Report {
  return {
    type: 'supervisor',
    supervisor: 'topics.0',
    context: 'child_terminated',
    reason: 'Error: x',
    offender: { id: 'topic-server', pid: '<8>', restart, type: 'worker', about: 'topic:main:a' },
  };
}

test('all kinds stand in one line, the newest first, by pages, of a kind and since a time', (t) => {
  const { clock, history, look } = world();
  for (const [now, act] of [
    [1, () => history.happened.add('phase', 'relay', 'ready')],
    [2, () => history.refused('pusu', '429', 'a')],
    [3, () => history.happened.add('link', 'b', 'up')],
    [4, () => history.reported(crash)],
  ] as const) {
    clock.now = now;
    act();
  }
  t.deepEqual(look(), {
    total: 4,
    rows: [
      '4 crash topic:main:a crashed: Error: x',
      '3 link b up',
      '2 refusal pusu 429',
      '1 phase relay ready',
    ],
  });
  t.deepEqual(look({}, 2, 1), { total: 4, rows: ['3 link b up', '2 refusal pusu 429'] });
  t.deepEqual(look({ kind: 'link' }), { total: 1, rows: ['3 link b up'] });
  t.deepEqual(look({ since: 3 }).rows.length, 2);
  t.deepEqual(look({ since: 5 }), { total: 0, rows: [] });
});

test('a crash and the report of the supervisor are one row, which says whether the process is restarted', (t) => {
  const { history, look } = world();
  history.reported(crash);
  history.reported(terminated('permanent'));
  t.deepEqual(look().rows, ['0 crash topic:main:a crashed: Error: x; topics.0 restarts it']);
  history.reported({ ...crash, pid: '<9>' });
  t.is(look().total, 2);
});

test('a process that is not restarted is not said to be', (t) => {
  const { history, look } = world();
  history.reported(terminated('temporary'));
  t.deepEqual(look().rows, ['0 crash topic:main:a crashed: Error: x']);
});

test('a supervisor that gives up, and a child that does not start or stop, are rows', (t) => {
  const { history, look } = world();
  for (const context of ['shutdown', 'start_error', 'shutdown_error'] as const)
    history.reported({ ...(terminated('permanent') as Extract<Report, { type: 'supervisor' }>), context });
  t.deepEqual(
    look().rows.map((row) => row.replace(/Error: x/, 'why')),
    [
      '0 crash topic:main:a did not stop as it should: why',
      '0 crash topic:main:a did not start: why',
      '0 crash topics.0 gave up after too many restarts: why',
    ],
  );
});
