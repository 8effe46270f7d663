import test from 'ava';
import { firstLinksName, firstLinksServer, linksChanged } from '../../src/cluster/first-links-server.ts';
import { worker } from '../../src/otp/child-spec.ts';
import { supervisor } from '../../src/otp/supervisor.ts';
import { testSystem } from '../support/otp.ts';

/** A supervisor that starts the doors behind the first links. */
function world(missing: string[]) {
  const base = testSystem();
  const said: [string, unknown][] = [];
  const say = (message: string, fields?: unknown) => said.push([message, fields]);
  const args = { backplane: { beingMade: () => missing }, limit: () => 3000, log: { note: say, warn: say } };
  let areDoorsOpen = false;
  const doors = {
    name: 'doors',
    init: () => {
      areDoorsOpen = true;
      return null;
    },
    handle: () => {
      throw new Error('nothing is sent to doors');
    },
  };
  const specs = [
    worker('first-links', firstLinksServer, args, { name: firstLinksName }),
    worker('doors', doors, null),
  ];
  const root = supervisor('root', {}, specs).start(base.system, {});
  if (!root.ok) throw new Error('not started');
  const change = () => {
    linksChanged(base.system);
    return base.quiet();
  };
  return { ...base, said, change, areDoorsOpen: () => areDoorsOpen };
}

test('where no link is to be made, doors open at once', async (t) => {
  const { areDoorsOpen, quiet } = world([]);
  await quiet();
  t.true(areDoorsOpen());
});

test('doors open as soon as all links are made', async (t) => {
  const missing = ['a', 'b'];
  const { areDoorsOpen, change, advance, said } = world(missing);
  await advance(500);
  t.false(areDoorsOpen());
  missing.pop();
  await change();
  t.false(areDoorsOpen());
  missing.pop();
  await change();
  t.true(areDoorsOpen());
  missing.push('c');
  await advance(10_000);
  t.deepEqual(said, [], 'nobody waits for a link that is made later');
});

test('a link that is not made keeps doors closed up to the limit, and is named', async (t) => {
  const { areDoorsOpen, change, advance, said } = world(['a: silent']);
  await advance(2999);
  await change();
  t.false(areDoorsOpen());
  await advance(1);
  t.true(areDoorsOpen());
  t.deepEqual(said, [['some links are not made', { waitedMs: 3000, missing: ['a: silent'] }]]);
});
