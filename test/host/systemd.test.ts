import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { serviceManager, watchdogPeriod } from '../../src/host/systemd.ts';
import { Arrivals, eventually } from '../support/arrivals.ts';
import { configFile, runRelay, temporaryFolder } from '../support/relay-process.ts';

/** A `systemd-notify` that writes down what it was told to say. */
function fakeNotify(t: ExecutionContext) {
  const folder = temporaryFolder(t);
  const file = join(folder, 'said');
  writeFileSync(file, '');
  const script = join(folder, 'systemd-notify');
  writeFileSync(script, `#!/bin/sh\necho "$@" >> '${file}'\n`);
  chmodSync(script, 0o755);
  const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}`, NOTIFY_SOCKET: '/nowhere' };
  return { env, said: () => readFileSync(file, 'utf8') };
}

test('without a service manager nothing is told', (t) => {
  const manager = serviceManager({
    env: { WATCHDOG_USEC: '2000' },
    alive: () => Promise.reject(t.fail()),
    failed: () => t.fail(),
  });
  manager.ready();
  manager.close();
  t.pass();
});

test("the watchdog's time is read in microseconds, and only when it is meant for this process", (t) => {
  t.is(watchdogPeriod({ WATCHDOG_USEC: '30000000' }), 30_000);
  t.is(watchdogPeriod({ WATCHDOG_USEC: '1000', WATCHDOG_PID: String(process.pid) }), 1);
  for (const env of [
    {},
    { WATCHDOG_USEC: '0' },
    { WATCHDOG_USEC: 'x' },
    { WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' },
  ])
    t.is(watchdogPeriod(env), undefined);
});

test('the watchdog is petted as long as the root answers, and not when it does not', async (t) => {
  const { env, said } = fakeNotify(t);
  const asked = new Arrivals<boolean>('questions');
  const failures = new Arrivals<string>('failures');
  let well = true;
  const manager = serviceManager({
    env: { ...env, WATCHDOG_USEC: '40000' },
    alive: () => {
      asked.push(well);
      return well ? Promise.resolve() : Promise.reject(new Error('stuck'));
    },
    failed: (why) => failures.push(why),
  });
  t.teardown(() => manager.close());
  await asked.take(3);
  well = false;
  t.is(await failures.next(), 'the root does not answer: stuck');
  await eventually(() => /--pid=\d+ WATCHDOG=1/.test(said()), 'it has been petted before');
  t.pass();
});

test('a relay tells that it is ready, alive, and stopping', async (t) => {
  const { env, said } = fakeNotify(t);
  const file = configFile(
    t,
    'doors: { pusu: { host: 127.0.0.1, port: 0 } }\nadmin: { port: 0 }\nlog: { format: json }\n',
  );
  const relay = runRelay(t, ['--config', file], { ...env, WATCHDOG_USEC: '500000' });
  await relay.log.find(({ msg }) => msg === 'ready');
  await eventually(() => /--ready/.test(said()) && /WATCHDOG=1/.test(said()), 'it is ready, and alive');
  relay.signal('SIGTERM');
  t.is((await relay.exited).code, 0);
  await eventually(() => /STOPPING=1/.test(said()), 'it is stopping');
  t.pass();
});
