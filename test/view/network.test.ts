import test from 'ava';
import { NO_VITALS, type Vitals } from '../../src/measure/vitals.ts';
import { type HeardView, networkRows, type PeerView, troubleLines } from '../../src/view/network.ts';

const vitals = (more: Partial<Vitals> = {}): Vitals => ({
  ...NO_VITALS,
  phase: 'ready',
  version: '1',
  loopDelay: 1,
  busy: 0.1,
  ...more,
});
const up = (node: string): PeerView => ({ node, isUp: true, why: null });
const link = (peer: string, roundTrip: number | null = 1, lag: number | null = 0, isUp = true) => ({
  peer,
  up: isUp,
  roundTrip,
  lag,
  lost: 0,
});

/** What relay `a` shows of itself and of those that it hears. */
function shown(
  own: Partial<Vitals>,
  peers: readonly PeerView[],
  heard: Readonly<Record<string, Partial<HeardView>>> = {},
) {
  return networkRows('a', vitals(own), peers, (node) => {
    const one = heard[node];
    return one === undefined ? undefined : { vitals: vitals(), ago: 100, hasLeft: false, ...one };
  });
}

const told = (more: Partial<Vitals> = {}, ago = 100) => ({ vitals: vitals(more), ago });
const states = (rows: ReturnType<typeof shown>) => rows.map(({ node, state }) => [node, state]);

test('this relay comes first, the others by name, with their own numbers and with the link from here', (t) => {
  const rows = shown({ connections: 1, links: [link('c', 5, 7)] }, [up('d'), up('c')], {
    c: told({ connections: 2, phase: 'draining' }),
    d: told({ connections: 3 }),
  });
  t.like(rows, [
    { node: 'a', own: true, state: 'ready', connections: 1, heard: null, roundTrip: null, lag: null },
    { node: 'c', own: false, state: 'draining', connections: 2, heard: 100, roundTrip: 5, lag: 7 },
    { node: 'd', own: false, state: 'ready', connections: 3, heard: 100, roundTrip: null, lag: null },
  ]);
  t.deepEqual(troubleLines(rows), []);
});

test('a relay alone has its own row', (t) => {
  t.deepEqual(states(shown({}, [])), [['a', 'ready']]);
});

test('numbers are stale after six seconds without a word', (t) => {
  t.deepEqual(states(shown({}, [up('b')], { b: told({}, 6000) }))[1], ['b', 'ready']);
  const rows = shown({}, [up('b')], { b: told({}, 6001) });
  t.deepEqual(states(rows)[1], ['b', 'stale']);
  t.deepEqual(troubleLines(rows), ['b lags: not heard for 6s']);
});

test('a relay that cannot be reached is down, with the reason, whether it was heard before or not', (t) => {
  const down = (node: string): PeerView => ({ node, isUp: false, why: 'connect ECONNREFUSED' });
  const rows = shown({}, [down('10.0.0.1:55001'), down('b')], { b: told({ connections: 9 }, 1500) });
  t.deepEqual(states(rows).slice(1), [
    ['10.0.0.1:55001', 'down'],
    ['b', 'down'],
  ]);
  t.like(rows[2], { version: '1', connections: null, heard: 1500 }, 'what it has told is no longer so');
  t.deepEqual(troubleLines(rows), [
    '10.0.0.1:55001 is down: connect ECONNREFUSED',
    'b is down: connect ECONNREFUSED; not heard for 1.5s',
  ]);
});

test('a relay that has said goodbye is stopped, and nothing is the matter with it', (t) => {
  const rows = shown({}, [{ node: 'b', isUp: false, why: 'connect ECONNREFUSED' }], {
    b: { ...told(), hasLeft: true },
  });
  t.deepEqual(states(rows)[1], ['b', 'stopped']);
  t.deepEqual(troubleLines(rows), []);
  t.deepEqual(states(shown({}, [up('b')], { b: { ...told(), hasLeft: true } }))[1], ['b', 'ready']);
});

test('a relay that tells no numbers is shown, and why', (t) => {
  const rows = shown({}, [{ ...up('b'), why: 'not told by its version' }, up('c')]);
  t.like(rows.slice(1), [
    { state: 'unknown', why: 'not told by its version', connections: null },
    { state: 'unknown', why: 'it has told nothing yet' },
  ]);
});

test('an event loop that stands still or has no time left is a trouble, from the limit on', (t) => {
  const of = (more: Partial<Vitals>) => troubleLines(shown({}, [up('b')], { b: told(more) }));
  t.deepEqual(of({ loopDelay: 249.9, busy: 0.949 }), []);
  t.deepEqual(of({ loopDelay: 250 }), ['b lags: its event loop stood still for 250ms']);
  t.deepEqual(of({ busy: 0.95 }), ['b lags: its event loop is 95% busy']);
  t.deepEqual(troubleLines(shown({ loopDelay: 1234 }, [])), ['a lags: its event loop stood still for 1.2s']);
});

test('the work of a start is no trouble: not before the relay is ready, nor what keeps the loop busy in the first 10 s', (t) => {
  const of = (more: Partial<Vitals>) => troubleLines(shown({}, [up('b')], { b: told(more) }));
  t.deepEqual(of({ phase: 'starting', uptime: 60, busy: 1, loopDelay: 900 }), []);
  t.deepEqual(of({ uptime: 9.9, busy: 1 }), []);
  t.deepEqual(of({ uptime: 10, busy: 1 }), ['b lags: its event loop is 100% busy']);
  t.deepEqual(of({ uptime: 1, loopDelay: 900 }), ['b lags: its event loop stood still for 900ms']);
});

test('of late links the relay is the cause that has most of them, whoever tells of them and looks at them', (t) => {
  const late = shown({ links: [link('b'), link('c', 400)] }, [up('b'), up('c')], {
    b: told({ links: [link('a'), link('c', 300, 900)] }),
    c: told({ links: [link('a', 450), link('b')] }),
  });
  t.deepEqual(troubleLines(late), ['c lags: lag 900ms, round trip 450ms, with a and b']);
  const ours = shown({ links: [link('b', 400), link('c', 400)] }, [up('b'), up('c')], {
    b: told({ links: [link('a', 400), link('c')] }),
    c: told({ links: [link('a', 400), link('b')] }),
  });
  t.deepEqual(troubleLines(ours), ['a lags: round trip 400ms, with b and c']);
});

test('where both ends have as many late links it is the one whose event loop is later, else not this relay', (t) => {
  const of = (own: Partial<Vitals>, other: Partial<Vitals>) =>
    troubleLines(shown({ links: [link('b', 250)], ...own }, [up('b')], { b: told(other) }));
  t.deepEqual(of({}, {}), ['b lags: round trip 250ms, with a']);
  t.deepEqual(of({ loopDelay: 100 }, {}), ['a lags: round trip 250ms, with b']);
  t.deepEqual(of({ loopDelay: 100 }, { loopDelay: 200 }), ['b lags: round trip 250ms, with a']);
});

test('a link that is down, and what a relay told that is not heard, say nothing of what is late now', (t) => {
  t.deepEqual(
    troubleLines(
      shown({ links: [link('b', 400, 400, false), link('c')] }, [up('c')], {
        c: told({ links: [link('a', 900)], loopDelay: 900, busy: 1 }, 7000),
      }),
    ),
    ['c lags: not heard for 7s'],
  );
});

test('a network between the relays that is late is a trouble of the relays that are late to it', (t) => {
  const rows = shown({ links: [link('nats', 300, null)] }, [up('b')], {
    b: told({ links: [link('nats', 1, null)] }),
  });
  t.deepEqual(troubleLines(rows), ['a lags: round trip 300ms, with nats']);
});

test('of very many links that are late three are named', (t) => {
  const others = ['b', 'c', 'd', 'e', 'f'];
  const rows = shown(
    { links: others.map((node) => link(node, 1000)) },
    others.map(up),
    Object.fromEntries(others.map((node) => [node, told()])),
  );
  t.deepEqual(troubleLines(rows), ['a lags: round trip 1s, with b, c, d and 2 more']);
});
