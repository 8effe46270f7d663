import test, { type ExecutionContext } from 'ava';
import { Readiness } from '../../src/admin/readiness.ts';
import { pusuFormat } from '../../src/door/pusu/format.ts';
import type { RelayView, Way } from '../../src/view/relay-view.ts';
import { startTestRelay } from '../support/relay.ts';

const UNLINKED = 'it is not linked any more';

/** What is said of a way that is `before` when its probe begins, and `after` once the probe has failed. */
async function said(t: ExecutionContext, before: Way, after: readonly Way[]) {
  const { relay } = await startTestRelay(t, { doors: { pusu: {} } });
  let looks = 0;
  const view = {
    ...relay.node,
    doors: () => [
      { name: 'pusu', realm: 'main', listener: 'admin.canaries', format: pusuFormat, counters: {} },
    ],
    ways: () => (looks++ === 0 ? [before] : after),
  } as unknown as RelayView;
  const edges = await new Readiness(view).edges();
  const found = edges.find(({ edge }) => edge === before.name);
  return found === undefined ? undefined : { ok: found.ok, needed: found.needed, why: found.why };
}

const way = (more: Partial<Way>): Way => ({
  name: 'peer b',
  topic: 'link a b',
  down: null,
  needed: false,
  publish: () => UNLINKED,
  ...more,
});

test('a link that ends while it is probed counts as down: a relay is ready without a peer that stops', async (t) => {
  const down = { ok: false, needed: false, why: 'down: it said goodbye' };
  t.deepEqual(await said(t, way({}), [way({ down: 'it said goodbye' })]), down);
  t.deepEqual(await said(t, way({}), []), { ...down, why: `down: ${UNLINKED}` });
  const needed = way({ needed: true });
  t.deepEqual(
    await said(t, needed, [{ ...needed, down: 'it said goodbye' }]),
    { ...down, needed: true },
    'where it needs its peers it is not ready',
  );
});

test('a link that is up, and takes nothing, makes a relay unready', async (t) => {
  t.deepEqual(await said(t, way({}), [way({})]), { ok: false, needed: true, why: UNLINKED });
});
