import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import type { Restart } from '../../src/otp/child-spec.ts';
import { watch } from '../../src/otp/monitor.ts';
import { isAlive, type Pid } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import {
  type ChildResult,
  deleteChild,
  restartChild,
  type Strategy,
  type SupervisorMessage,
  startChild,
  supervisor,
  terminateChild,
  whichChildren,
} from '../../src/otp/supervisor.ts';
import { type Family, family } from '../support/family.ts';
import { type ModelSpec, SupervisorModel } from './supervisor-model.ts';

/** What happens at one moment, in this order and before the supervisor gets to run. */
type Action =
  | { readonly type: 'crash' | 'normal' | 'shutdown'; readonly id: string }
  | {
      readonly type: 'terminate' | 'restart' | 'delete' | 'start';
      readonly id: string;
      readonly restart: Restart;
    }
  | { readonly type: 'fail'; readonly id: string; readonly times: number };

interface Moment {
  /** Milliseconds since the last one. */
  readonly after: number;
  readonly actions: readonly Action[];
}

interface Play {
  readonly strategy: Strategy;
  readonly intensity: number;
  readonly children: readonly Restart[];
  readonly failing: readonly number[];
  readonly moments: readonly Moment[];
}

const PERIOD = 100;
const IDS = ['a', 'b', 'c', 'd', 'e'] as const;

const anyRestart = fc.constantFrom<Restart>('permanent', 'permanent', 'transient', 'temporary');
const anyId = fc.constantFrom(...IDS);
const anyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('crash' as const), id: anyId }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom('normal' as const, 'shutdown' as const), id: anyId }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom('terminate' as const, 'restart' as const, 'delete' as const, 'start' as const),
      id: anyId,
      restart: anyRestart,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('fail' as const),
      id: anyId,
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
);
const anyPlay: fc.Arbitrary<Play> = fc.record({
  strategy: fc.constantFrom<Strategy>('one_for_one', 'one_for_all', 'rest_for_one'),
  intensity: fc.constantFrom(0, 1, 2, 3, 10, 100),
  children: fc.array(anyRestart, { minLength: 1, maxLength: IDS.length }),
  failing: fc.oneof(
    { weight: 9, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.nat(1), { maxLength: IDS.length }) },
  ),
  moments: fc.array(
    fc.record({
      after: fc.oneof(fc.constant(0), fc.nat(40), fc.constantFrom(PERIOD - 1, PERIOD, PERIOD + 1)),
      actions: fc.array(anyAction, { minLength: 1, maxLength: 4 }),
    }),
    { maxLength: 12 },
  ),
});

const answerOf = (result: ChildResult) => (result.ok ? 'ok' : result.error);

/** Does to the real supervisor what the action says. */
function perform(
  action: Action,
  world: Family,
  root: Pid<SupervisorMessage>,
  answer: (text: string) => void,
): void {
  const { id, type } = action;
  switch (type) {
    case 'fail':
      world.failing.set(id, action.times);
      return;
    case 'crash':
    case 'normal':
    case 'shutdown': {
      if (!world.known(id)) return;
      const pid = world.pid(id);
      // From itself, or normal would be ignored.
      exit(pid, type === 'crash' ? { stop: 'crash' } : type, pid);
      return;
    }
    default: {
      const result =
        type === 'start'
          ? startChild(root, world.member(id, { restart: action.restart }))
          : { terminate: terminateChild, restart: restartChild, delete: deleteChild }[type](root, id);
      result.then(
        (value) => answer(answerOf(value)),
        () => answer('down'),
      );
    }
  }
}

function predict(action: Action, model: SupervisorModel, answer: (text: string) => void): void {
  const { id } = action;
  if (action.type === 'fail') model.failing.set(id, action.times);
  else if ('restart' in action) model.request(action.type, { id, restart: action.restart }, answer);
  else model.end(id, action.type !== 'crash');
}

/** What can be seen of a supervisor from outside. */
interface Seen {
  readonly events: string;
  readonly living: readonly string[];
  readonly specs: readonly string[];
  readonly alive: boolean;
  readonly gaveUpAt: number | undefined;
  readonly answers: readonly string[];
}

/** Plays on both stages. Returns what was seen of each, after the start and after each moment. */
async function play({ strategy, intensity, children, failing, moments }: Play): Promise<[Seen[], Seen[]]> {
  const flags = { strategy, intensity, period: PERIOD };
  const specs: ModelSpec[] = children.map((restart, index) => ({ id: IDS[index] as string, restart }));
  const failures = failing.map((times, index) => [IDS[index] as string, times] as const);

  const world = family();
  for (const [id, times] of failures) world.failing.set(id, times);
  const model = new SupervisorModel(flags, specs, new Map(failures));
  const members = specs.map(({ id, restart }) => world.member(id, { restart }));
  const root = supervisor('root', flags, members).start(world.system, {});
  const real: Seen[] = [];
  const predicted: Seen[] = [];
  let gaveUpAt: number | undefined;
  if (root.ok) {
    watch(root.pid, (reason) => {
      if (reason === 'shutdown') gaveUpAt = world.clock.now();
    });
  }
  const look = async (answers: readonly string[], expected: readonly string[]) => {
    await world.quiet();
    const alive = root.ok && isAlive(root.pid);
    const which = alive ? await whichChildren(root.pid as Pid<SupervisorMessage>) : [];
    const living = which.filter(({ pid }) => pid !== null && isAlive(pid)).map(({ id }) => id);
    // Nobody lives whom the supervisor does not know.
    if (world.system.processes.size !== living.length + (alive ? 1 : 0)) living.push('strangers');
    real.push({ events: world.seen(), living, specs: which.map(({ id }) => id), alive, gaveUpAt, answers });
    predicted.push({
      events: model.events.splice(0).join(' '),
      living: model.alive ? model.living : [],
      specs: model.alive ? model.specs : [],
      alive: model.alive,
      gaveUpAt: model.gaveUpAt,
      answers: expected,
    });
  };
  await look([], []);
  for (const { after, actions } of moments) {
    if (!root.ok) break;
    await world.advance(after);
    model.now += after;
    const answers: string[] = [];
    const expected: string[] = [];
    actions.forEach((action, at) => {
      perform(action, world, root.pid as Pid<SupervisorMessage>, (text) => answers.push(`${at} ${text}`));
      predict(action, model, (text) => expected.push(`${at} ${text}`));
    });
    model.drain();
    await world.quiet();
    await look(answers.toSorted(), expected.toSorted());
  }
  return [real, predicted];
}

test('a supervisor does what the model of OTP does, whatever happens', async (t) => {
  let gaveUp = 0;
  let restarted = 0;
  await fc.assert(
    fc.asyncProperty(anyPlay, async (script) => {
      const [real, predicted] = await play(script);
      assert.deepStrictEqual(real, predicted);
      if (real.some((seen) => seen.gaveUpAt !== undefined)) gaveUp++;
      restarted += real.slice(1).filter(({ events }) => events.includes('+')).length;
    }),
    { numRuns: 1000 },
  );
  // The scripts reach what they are for.
  t.true(gaveUp > 100, `${gaveUp} gave up`);
  t.true(restarted > 500, `${restarted} restarts`);
});
