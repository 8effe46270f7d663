import test from 'ava';
import { readyTo } from '../../src/otp/prepared.ts';
import { exit } from '../../src/otp/signal.ts';
import { suspend } from '../../src/otp/sys.ts';
import { reload, reloadSpec } from '../../src/reload/reload-server.ts';
import { type Load, type Reloadable, RunningConfig } from '../../src/reload/running-config.ts';
import { redacted } from '../../src/secret/redaction.ts';
import { accepted } from '../config/support.ts';
import { testSystem } from '../support/otp.ts';

const withDrain = (drain: string) => accepted(`limits: { drain: ${drain} }`);
const done = readyTo(() => undefined);
const loads =
  (drain: string): Load =>
  () => ({ ok: true, config: withDrain(drain) });

function reloading(prepare: Reloadable['prepare'], ...others: Reloadable[]) {
  const world = testSystem();
  const said: string[] = [];
  const logged: Readonly<Record<string, unknown>>[] = [];
  const say = (message: string, fields: Readonly<Record<string, unknown>>) => {
    said.push(message);
    logged.push(fields);
  };
  let reread = 0;
  const root = reloadSpec({
    running: new RunningConfig(withDrain('1s')),
    parts: [{ keys: ['limits'], prepare }, ...others],
    reread: () => {
      reread++;
    },
    log: { note: say, warn: say },
  }).start(world.system, {});
  if (!root.ok) throw new Error('not started');
  return { ...world, root: root.pid, said, logged, reread: () => reread };
}

test('a part that throws crashes the reload alone: it is reported, asked anew the next time, and then done', async (t) => {
  let broken = true;
  const asked: (readonly string[])[] = [];
  const { system, crashes, said, reread } = reloading((_next, keys) => {
    asked.push(keys);
    if (broken) throw new TypeError('a part is broken');
    return done;
  });
  const crashed = await reload(system, loads('2s'));
  t.deepEqual(crashed, {
    ok: false,
    errors: ['the reload has crashed, as the log says'],
    applied: [],
    reread: [],
    needsRestart: [],
  });
  t.deepEqual(
    crashes().map(({ name, reason }) => [name, reason]),
    [['reload', 'TypeError: a part is broken']],
  );
  broken = false;
  t.like(await reload(system, loads('2s')), { ok: true, applied: ['limits.drain'] });
  t.deepEqual(asked, [['limits.drain'], ['limits.drain']]);
  t.deepEqual(said, ['not reloaded', 'reloaded']);
  t.is(reread(), 1);
});

test('what cannot be loaded crashes it as well, be it at once or later', async (t) => {
  const { system, crashes } = reloading(() => done);
  const fault = new Error('no such disk');
  const now: Load = () => {
    throw fault;
  };
  t.false((await reload(system, now)).ok);
  t.false((await reload(system, () => Promise.reject(fault))).ok);
  t.deepEqual(
    crashes().map(({ reason }) => reason),
    ['Error: no such disk', 'Error: no such disk'],
  );
  t.true((await reload(system, loads('2s'))).ok);
});

test('who waits for a turn when a reload crashes is told as well', async (t) => {
  const { system } = reloading(() => Promise.reject(new Error('broken')));
  const [one, two] = await Promise.all([reload(system, loads('2s')), reload(system, loads('3s'))]);
  t.deepEqual([one.ok, two.ok], [false, false]);
});

test('a reload is read when its turn has come, after the one before it is done', async (t) => {
  const said: string[] = [];
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { system } = reloading(async ({ limits }) => {
    await held;
    said.push(`applied ${limits.drain}`);
    return done;
  });
  const load = (drain: string) => (): ReturnType<Load> => {
    said.push(`loaded ${drain}`);
    return { ok: true, config: withDrain(drain) };
  };
  const both = [reload(system, load('2s')), reload(system, load('3s'))];
  release();
  await Promise.all(both);
  t.deepEqual(said, ['loaded 2s', 'applied 2000', 'loaded 3s', 'applied 3000']);
});

test('what a part could not do is a change again the next time', async (t) => {
  let faults = ['limits: they are odd'];
  const { system, said } = reloading(() => (faults.length === 0 ? done : { faults }));
  t.like(await reload(system, loads('2s')), { ok: false, errors: ['limits: they are odd'], applied: [] });
  faults = [];
  t.like(await reload(system, loads('2s')), { ok: true, applied: ['limits.drain'] });
  t.deepEqual(said, ['not reloaded', 'reloaded']);
});

test('a killed reload is told, and nobody reloads where the process is gone', async (t) => {
  const { system, root, quiet } = reloading(() => done);
  const server = system.names.get('reload');
  if (server === undefined) throw new Error('there is no reload');
  suspend(server);
  const asked = reload(system, loads('2s'));
  exit(server, 'kill');
  t.false((await asked).ok);
  await quiet();
  t.true((await reload(system, loads('2s'))).ok);
  exit(root, 'shutdown');
  await quiet();
  t.deepEqual((await reload(system, loads('2s'))).errors, ['the process that reloads is not there']);
});

test('the log names a key that follows the name of a secret as all others', async (t) => {
  const { system, logged } = reloading(() => done);
  const doors = '{ pusu: {}, wspubsub: { apikeys: { list: [ { domain: d, key: k } ] } } }';
  const text = `doors: ${doors}\nlimits: { drain: 1s }\n`;
  const config = accepted(`${text}apikeys: { list: [ { domain: d, key: other } ] }`);
  const { needsRestart } = await reload(system, () => ({ ok: true, config }));
  t.deepEqual(needsRestart, ['apikeys', 'doors.wspubsub']);
  t.deepEqual(redacted(logged.at(-1))?.['needsRestart'], needsRestart);
});

/** A part that tells what it is asked. */
function teller(
  name: string,
  keys: readonly string[],
  told: string[],
  faults?: readonly string[],
): Reloadable {
  return {
    keys,
    prepare: () => {
      told.push(`${name} prepares`);
      const tell = (what: string) => () => {
        told.push(`${name} ${what}`);
        return [];
      };
      if (faults !== undefined) return { faults };
      return { faults: null, commit: () => void tell('commits')(), undo: tell('undoes') };
    },
  };
}

test('no part commits before all are ready', async (t) => {
  const told: string[] = [];
  const [one, two] = [teller('one', ['limits'], told), teller('two', ['limits'], told)];
  const { system } = reloading(one.prepare, two);
  t.like(await reload(system, loads('2s')), { ok: true, applied: ['limits.drain'] });
  t.deepEqual(told, ['one prepares', 'two prepares', 'one commits', 'two commits']);
});

test('where a part is not ready all are heard, what is ready is undone from the last to the first, and nothing is applied', async (t) => {
  const told: string[] = [];
  const keys = ['limits'];
  const { system } = reloading(
    teller('one', keys, told).prepare,
    teller('two', keys, told, ['two: no']),
    teller('three', keys, told),
    teller('four', keys, told, ['four: no']),
  );
  t.like(await reload(system, loads('2s')), { ok: false, errors: ['two: no', 'four: no'], applied: [] });
  const prepared = ['one', 'two', 'three', 'four'].map((name) => `${name} prepares`);
  t.deepEqual(told, [...prepared, 'three undoes', 'one undoes']);
});

test('what was ready is undone when the reload crashes', async (t) => {
  const told: string[] = [];
  const { system, quiet } = reloading(teller('one', ['limits'], told).prepare, {
    keys: ['limits'],
    prepare: () => Promise.reject(new Error('broken')),
  });
  t.false((await reload(system, loads('2s'))).ok);
  await quiet();
  t.deepEqual(told, ['one prepares', 'one undoes']);
});
