import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { Gap, Message, Subscription } from '../src/api.ts';
import { ModelChannel, ModelRelay } from './support/model-relay.ts';
import { newWorld, type ScriptedSocket } from './support/world.ts';

/** What may happen, one after the other. Numbers choose among what there is, or say how much. */
type Step =
  | { readonly type: 'publish' | 'deliver' | 'read'; readonly count: number }
  | { readonly type: 'advance'; readonly milliseconds: number }
  /** All that is on its way arrives. */
  | { readonly type: 'flow' }
  | { readonly type: 'cut' | 'lose' | 'wake' | 'hide' | 'sleep' | 'hole' | 'restart' | 'subscribe' | 'end' };

const steps = (rare: readonly Step['type'][]): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          type: fc.constant('publish' as const),
          count: fc.integer({ min: 1, max: 4 }),
        }),
      },
      {
        weight: 6,
        arbitrary: fc.record({
          type: fc.constant('deliver' as const),
          count: fc.integer({ min: 1, max: 9 }),
        }),
      },
      {
        weight: 6,
        arbitrary: fc.record({ type: fc.constant('read' as const), count: fc.integer({ min: 1, max: 3 }) }),
      },
      { weight: 3, arbitrary: fc.constant({ type: 'flow' as const }) },
      {
        weight: 3,
        arbitrary: fc.record({
          type: fc.constant('advance' as const),
          milliseconds: fc.constantFrom(250, 1000, 3000, 35_000),
        }),
      },
      { weight: 6, arbitrary: fc.constantFrom(...rare).map((type) => ({ type }) as Step) },
    ),
    // By itself fast-check makes short ones.
    { maxLength: 100, size: 'max' },
  );

interface Heard {
  readonly events: readonly (Message | Gap)[];
  readonly hasEnded: boolean;
}

interface Run {
  readonly first: Heard;
  readonly others: readonly Heard[];
  readonly relay: ModelRelay;
}

/** Plays the steps; then all is well for long enough, and the client is closed. */
async function play(
  t: ExecutionContext,
  script: readonly Step[],
  chances: readonly number[],
  channel: ModelChannel | null,
  since?: string,
): Promise<Run> {
  const world = newWorld('ws://relay', { silence: 30_000 });
  const relay = new ModelRelay(channel);
  const heard: { events: (Message | Gap)[]; subscription: Subscription; hasEnded: boolean }[] = [];
  let accepted = 0;
  let published = 0;
  let turn = 0;
  const subscribe = (): void => {
    const subscription = world.client.subscribe('c', since === undefined ? {} : { since });
    const events: (Message | Gap)[] = [];
    subscription.on((event) => events.push(event));
    heard.push({ events, subscription, hasEnded: false });
  };
  const socket = async (): Promise<ScriptedSocket> => {
    world.chance = chances[turn++ % chances.length] ?? 0.5;
    const last = await world.socket();
    for (; accepted < world.sockets.length; accepted++)
      relay.accept(world.sockets[accepted] as ScriptedSocket);
    return last;
  };
  subscribe();
  for (const step of script) {
    const last = await socket();
    switch (step.type) {
      case 'publish':
        for (let i = 0; i < step.count; i++) relay.publish(++published);
        break;
      case 'deliver':
        relay.deliver(last, step.count);
        break;
      case 'read':
        relay.read(last, step.count);
        break;
      case 'flow':
        relay.deliver(last, 1);
        relay.read(last, 100);
        relay.deliver(last, 1000);
        break;
      case 'advance':
        await world.advance(step.milliseconds);
        break;
      case 'cut':
        if (last.isOpen) relay.cut(last);
        break;
      case 'lose':
        relay.lose(last);
        break;
      case 'wake':
        world.wake?.();
        break;
      case 'hide':
        world.hide?.();
        break;
      case 'sleep':
        world.sleep(40_000);
        break;
      case 'hole':
        relay.hole();
        break;
      case 'restart':
        relay.restart();
        break;
      case 'subscribe':
        if (heard.length < 4) subscribe();
        break;
      case 'end': {
        const other = heard.find(({ hasEnded }, index) => index > 0 && !hasEnded);
        if (other === undefined) break;
        other.hasEnded = true;
        await other.subscription.end();
      }
    }
  }
  world.wake?.();
  for (let i = 0; i < 40; i++) {
    const last = await socket();
    // What is missing is told before the next message at the latest.
    if (i === 38) relay.publish(++published);
    relay.read(last, 100);
    relay.deliver(last, 1000);
    await world.advance(1000);
  }
  t.is(world.client.state, 'open');
  const closed = world.client.close();
  (await socket()).end(1000);
  await closed;
  t.is(world.clock.pending, 0, 'no timer is left');
  t.is(world.wake, undefined, 'no listener is left');
  const [first, ...others] = heard as Heard[] as [Heard, ...Heard[]];
  return { first, others, relay };
}

/**
 * Each number from `start` on is there once and in order, or counted in one gap. Gaps are told before what is behind them; where
 * nobody knows how many were missed, they say where it goes on.
 */
function isComplete(
  { events, hasEnded }: Heard,
  channel: ModelChannel,
  start: string | undefined,
): string | null {
  let [epoch, last] = start === undefined ? ['', Number.NaN] : positionOf(start);
  let missing = 0;
  for (const event of events) {
    if (event.type === 'gap') {
      if (Number.isNaN(last) && event.from !== undefined) [epoch, last] = positionOf(event.from);
      if (event.missed !== undefined) missing += event.missed;
      else if (event.to === undefined) return 'a gap of unknown size says where it goes on';
      else [epoch, last, missing] = [...positionOf(event.to), 0];
      continue;
    }
    const [line, offset] = positionOf(event.at ?? '');
    if (Number.isNaN(last)) [epoch, last] = [line, offset - 1];
    if (line !== epoch) return `${event.at} comes behind ${epoch}:${last} without a gap`;
    if (offset <= last) return `${event.at} comes behind ${last}`;
    missing -= offset - last - 1;
    if (missing < 0) return `nothing was said of what is missing before ${event.at}`;
    last = offset;
  }
  if (hasEnded || Number.isNaN(last)) return null;
  if (epoch !== channel.epoch) return `it stands in ${epoch}`;
  return channel.last - last === missing ? null : `${channel.last - last - missing} are missing at the end`;
}

/** Thrown, so that the steps that lead there are found and shown. */
function complain(fault: string | null): void {
  if (fault !== null) throw new Error(fault);
}

function positionOf(at: string): readonly [string, number] {
  const [epoch = '', offset = ''] = at.split(':');
  return [epoch, Number(offset)];
}

const chances = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 });
const faults = ['cut', 'lose', 'wake', 'hide', 'sleep'] as const;
const runs = Number(process.env['MODEL_RUNS'] ?? 150);

test('whatever becomes of its connections, each message is there once and in order, or counted in one gap', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      steps([...faults, 'hole', 'subscribe', 'end']),
      chances,
      fc.constantFrom(3, 8, 1000),
      async (script, chance, capacity) => {
        const channel = new ModelChannel(capacity);
        const { first, others } = await play(t, script, chance, channel, 'e1:0');
        for (const heard of [first, ...others]) complain(isComplete(heard, channel, 'e1:0'));
      },
    ),
    { numRuns: runs },
  );
  t.pass();
});

for (const since of [undefined, 'all', 'last'])
  test(`the same from the first message on, where it subscribes since ${since}`, async (t) => {
    await fc.assert(
      fc.asyncProperty(steps([...faults, 'subscribe', 'end']), chances, async (script, chance) => {
        const channel = new ModelChannel(5);
        const { first, others } = await play(t, script, chance, channel, since);
        for (const heard of [first, ...others]) complain(isComplete(heard, channel, undefined));
      }),
      { numRuns: runs / 3 },
    );
    t.pass();
  });

test('a relay that starts anew is one gap for each life, and nothing comes twice', async (t) => {
  await fc.assert(
    fc.asyncProperty(steps([...faults, 'restart', 'subscribe']), chances, async (script, chance) => {
      const channel = new ModelChannel(5);
      const { first, others } = await play(t, script, chance, channel);
      for (const heard of [first, ...others]) complain(isComplete(heard, channel, undefined));
    }),
    { numRuns: runs / 2 },
  );
  t.pass();
});

test('where the relay keeps nothing, each connection but the first begins with one gap, and nothing comes twice', async (t) => {
  await fc.assert(
    fc.asyncProperty(steps([...faults, 'restart']), chances, async (script, chance) => {
      const { first, relay } = await play(t, script, chance, null);
      const gaps = first.events.filter(({ type }) => type === 'gap');
      t.deepEqual(
        new Set(gaps.map((gap) => gap.type === 'gap' && gap.why)),
        new Set(gaps.length > 0 ? ['disconnected'] : []),
      );
      t.is(gaps.length, Math.max(0, relay.answers - 1));
      let last = 0;
      let isKnown = false;
      for (const event of first.events) {
        if (event.type === 'message') {
          const number = Number(event.content);
          t.true(isKnown ? number === last + 1 : number > last);
          last = number;
        }
        isKnown = event.type === 'message';
      }
    }),
    { numRuns: runs / 2 },
  );
  t.pass();
});
