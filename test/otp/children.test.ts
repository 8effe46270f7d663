import test from 'ava';
import { stop } from '../../src/otp/behaviour.ts';
import { worker } from '../../src/otp/child-spec.ts';
import { addChildren, beginMoves, MovableChild, removeChild } from '../../src/otp/children.ts';
import { processName, whereis } from '../../src/otp/registry.ts';
import { type SupervisorMessage, supervisor, whichChildren } from '../../src/otp/supervisor.ts';
import { script, scripted, testSystem } from '../support/otp.ts';

const ROOT = processName<SupervisorMessage>('root');

/** Children that each take a place of their own, of which some are taken by others. */
function places(first: string | null, taken: readonly string[] = []) {
  const world = testSystem();
  const open: string[] = [];
  const closed = new Set(taken);
  const specAt = (place: string, id: string) => {
    const [room] = place.split('-');
    const behaviour = scripted(script(), {
      init: () => {
        if (closed.has(place) || open.some((one) => one.split('-')[0] === room))
          return stop({ stop: 'taken' });
        open.push(place);
        return null;
      },
      terminate: () => {
        open.splice(open.indexOf(place), 1);
      },
    });
    return worker(id, behaviour, null);
  };
  const sameRoom = (old: string, next: string) => old.split('-')[0] === next.split('-')[0];
  const site = { system: world.system, supervisor: ROOT, collide: sameRoom };
  const child = new MovableChild<string>({ id: 'child', specAt }, first);
  /** Moves it there, or says why it cannot. */
  const move = async (place: string | null) => {
    const moving = await beginMoves(site, child.moveTo(place));
    if (!moving.ok) return moving.failed.map(({ error, lost }) => ({ error, lost }));
    const madeWay = moving.arrive();
    await moving.leave();
    return madeWay.size > 0 ? 'made way' : 'beside';
  };
  const root = supervisor('root', {}, child.specs, { name: ROOT }).start(world.system, {});
  if (!root.ok) throw new Error('not started');
  const ids = async () => {
    const pid = whereis(world.system, ROOT);
    return pid === undefined ? [] : (await whichChildren(pid)).map(({ id }) => id);
  };
  return { ...world, child, move, site, open, closed, specAt, ids };
}

test('a child opens at the next place before it closes at the old one, under an id of its own', async (t) => {
  const { child, move, open, ids } = places('a');
  t.is(await move('b'), 'beside');
  t.deepEqual(open, ['b']);
  t.is(child.id, 'child.1');
  t.deepEqual(await ids(), ['child.1']);
});

test('a child that cannot be at both places at once makes way first', async (t) => {
  const { move, open } = places('a-1');
  t.deepEqual(await move('a-2'), 'made way');
  t.deepEqual(open, ['a-2']);
});

test('a child stays where it is when the next place cannot be had', async (t) => {
  const { child, move, open, ids } = places('a-1', ['b', 'a-2']);
  t.deepEqual(await move('b'), [{ error: 'taken', lost: null }]);
  t.deepEqual(await move('a-2'), [{ error: 'taken', lost: null }]);
  t.deepEqual(open, ['a-1']);
  t.deepEqual(await ids(), ['child']);
  t.is(child.id, 'child');
});

test('a child that made way and gets neither place is lost, and that is said', async (t) => {
  const { move, open, closed } = places('a-1', ['a-2']);
  closed.add('a-1');
  t.deepEqual(await move('a-2'), [{ error: 'taken', lost: 'taken' }]);
  t.deepEqual(open, []);
});

test('a child without a place gets one, and gives it back', async (t) => {
  const { child, move, open, ids } = places(null, ['b']);
  t.deepEqual(child.specs, []);
  t.deepEqual(await move('b'), [{ error: 'taken', lost: undefined }]);
  t.deepEqual(await move('a'), 'beside');
  t.deepEqual(open, ['a']);
  t.deepEqual(await move(null), 'beside');
  t.deepEqual(open, []);
  t.deepEqual(await ids(), []);
});

test('several children are added together or not at all', async (t) => {
  const { system, specAt, open, ids } = places(null, ['c']);
  const specs = ['a', 'b', 'c'].map((place) => specAt(place, place));
  t.is(await addChildren(system, ROOT, specs), 'taken');
  t.deepEqual([open, await ids()], [[], []]);
  t.is(await addChildren(system, ROOT, specs.slice(0, 2)), null);
  t.deepEqual(await ids(), ['a', 'b']);
  await removeChild(system, ROOT, 'a');
  t.deepEqual(open, ['b']);
});

test('where there is no supervisor nothing is added, and what is to be removed is gone', async (t) => {
  const { system } = testSystem();
  const spec = worker('a', scripted(script()), null);
  t.is(await addChildren(system, ROOT, [spec]), 'its supervisor is not there');
  await t.notThrowsAsync(removeChild(system, ROOT, 'a'));
});

test('a move that has begun goes back, be it beside the old place or in its stead', async (t) => {
  for (const next of ['b', 'a-2']) {
    const { child, site, open, ids } = places('a-1');
    const moving = await beginMoves(site, child.moveTo(next));
    if (!moving.ok) throw new Error('not begun');
    t.true(open.includes(next));
    t.deepEqual(await moving.back(), []);
    t.deepEqual(open, ['a-1']);
    t.deepEqual([child.id, await ids()], ['child', ['child']]);
  }
});

test('children that move into the places of one another all move, or none', async (t) => {
  const { child, site, open, specAt, closed } = places('a');
  const other = new MovableChild<string>({ id: 'other', specAt }, 'b');
  t.is(await addChildren(site.system, ROOT, other.specs), null);
  closed.add('c');
  const third = new MovableChild<string>({ id: 'third', specAt }, 'c');
  const swap = () => [...child.moveTo('b'), ...other.moveTo('a')];
  const failed = await beginMoves(site, [...swap(), ...third.arrival()]);
  t.false(failed.ok);
  t.deepEqual(open.toSorted(), ['a', 'b']);
  const moving = await beginMoves(site, swap());
  if (!moving.ok) throw new Error('not begun');
  moving.arrive();
  await moving.leave();
  t.deepEqual(open.toSorted(), ['a', 'b']);
  t.deepEqual([child.id, other.id], ['child.2', 'other.2']);
});
