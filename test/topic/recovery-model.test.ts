import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { isAlive, type Pid } from '../../src/otp/process.ts';
import type { Format } from '../../src/topic/message.ts';
import type { Since } from '../../src/topic/position.ts';
import { hashKey } from '../../src/topic/topic-name.ts';
import { behind } from '../../src/topic/topic-requests.ts';
import { turn } from '../support/otp.ts';
import { isBalanced } from '../support/relay.ts';
import { formatOf, keeping, REALM, type TestMember, type TopicsWorld, topicsWorld } from './topics-world.ts';

/**
 * Random interleavings of messages, of members that come, go, are cut off and come back, of crashes of all kinds, of
 * bounds and portions. What each member has heard is held against what it was told, and against what the publisher was
 * told of each message: `published` says where it stands.
 *
 * Members hear `OFFSET:TEXT`, and of gaps `gap:TO:MISSED`.
 */
const NAME = 'kept';
/** What is nothing at a door: its number comes to nobody there, and is no gap. What a door cannot carry is. */
const SILENT = /^nothing/;

interface Brittle extends Format {
  /** The next delivery crashes the server. */
  fails: boolean;
}

/** `bomb`: a text that begins with it crashes the server in this format alone. */
function formatNamed(name: string, bomb: string): Brittle {
  const { render, assemble } = formatOf(name, (text) => {
    if (text.startsWith(bomb)) throw new Error(bomb);
  });
  const format: Brittle = {
    name,
    fails: false,
    render(message, topic, at) {
      const part = render(message, topic, at);
      if (typeof part === 'string') return part;
      return { opcode: 1, payload: Buffer.from(`${at?.offset}:${part.payload.toString()}`) };
    },
    gap: (_, { to, missed }) => ({ opcode: 1, payload: Buffer.from(`gap:${to?.offset}:${missed}`) }),
    assemble(parts) {
      if (format.fails) {
        format.fails = false;
        throw new Error('no bytes');
      }
      return assemble(parts);
    },
  };
  return format;
}

/** One time that a client is a member. */
interface Session {
  readonly since: Since | undefined;
  readonly member: TestMember;
  /** It was cut off, or has left. */
  hasGone: boolean;
}

interface Client {
  readonly format: Brittle;
  readonly sessions: Session[];
}

type Heard =
  | { readonly to: number; readonly text: string }
  | { readonly to: number; readonly missed: number };

function heardBy({ heard }: TestMember): Heard[] {
  return heard.map((item) => {
    const [first = '', second = '', third] = item.split(':');
    if (first === 'gap') return { to: Number(second), missed: Number(third) };
    return { to: Number(first), text: second };
  });
}

/** Whether the topic has ended the session, or the client has. */
function isOver({ member, hasGone }: Session): boolean {
  return hasGone || member.told.some((word) => /^(lost|too-slow|refused) /.test(word));
}

function current({ sessions }: Client): Session | undefined {
  const last = sessions.at(-1);
  return last === undefined || isOver(last) ? undefined : last;
}

const who = fc.integer({ min: 0, max: 4 });
const act = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      type: fc.constant('publish' as const),
      size: fc.constantFrom(0, 0, 300, 20_000, 30_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('odd' as const),
      text: fc.constantFrom('poison', 'red bomb', 'blue bomb', 'undeliverable', 'nothing', 'flood'),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      type: fc.constant('come' as const),
      who,
      since: fc.constantFrom(
        'stand',
        'stand',
        'stand',
        'stand',
        'all',
        'last',
        'now',
        'first',
        'nothing',
        'unknown',
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('cut' as const, 'leave' as const), who }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('ask' as const), who }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom('behind' as const, 'caught up' as const), who }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('red fails' as const, 'blue fails' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom('kill server' as const, 'kill supervisor' as const) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ type: fc.constant('wait' as const), time: fc.constantFrom(-1, 0, 0, 100, 1000) }),
  },
);
const settings = fc.record({
  messages: fc.constantFrom(3, 20, 100),
  bytes: fc.constantFrom(1024, 150_000, 1_000_000, 1_000_000),
  age: fc.constantFrom(1000, 3000, 300_000),
  total: fc.constantFrom(150_000, 64 * 1024 * 1024),
  resume: fc.constantFrom(65_536, 200_000, 1024 * 1024),
});

function sinceOf(world: TopicsWorld, wish: string, before: Session | undefined): Since | undefined {
  const epoch = world.topics.histories.find(REALM, NAME)?.epoch;
  if (wish === 'nothing' || epoch === undefined) return undefined;
  if (wish === 'first') return { epoch, offset: 0 };
  if (wish === 'unknown') return { epoch: '1unknown', offset: 1 };
  if (wish !== 'stand') return wish as Since;
  if (before === undefined) return undefined;
  const { lost, answer } = before.member;
  const last = heardBy(before.member).at(-1);
  if (lost?.at != null) return lost.at;
  return last === undefined ? (answer?.resumption?.from ?? before.since) : { epoch, offset: last.to };
}

/** What a publisher was told: which text stands at which offset. */
function truthOf({ told }: TestMember, texts: readonly string[]): Map<number, string> {
  const truth = new Map<number, string>();
  for (const word of told) {
    const [what, , receipt, offset] = word.split(' ');
    if (what !== 'published') continue;
    assert.ok(!truth.has(Number(offset)), `one message stands at ${offset}`);
    truth.set(Number(offset), texts[Number(receipt)] as string);
  }
  return truth;
}

/** Everything that was heard was published there, comes once and in order, and every jump is one that was told. */
function judge(session: Session, truth: Map<number, string>, last: number): void {
  const { since, member } = session;
  const { resumption } = member.answer ?? {};
  const isSilent = (offset: number) => SILENT.test(truth.get(offset) ?? '');
  const silentIn = (from: number, to: number) => {
    let count = 0;
    for (let offset = from + 1; offset <= to; offset++) if (isSilent(offset)) count++;
    return count;
  };
  let stand = resumption?.from.offset ?? null;
  let replayed = 0;
  let diedOnTheWay = 0;
  for (const heard of heardBy(member)) {
    const isPast = resumption !== undefined && heard.to <= resumption.at.offset;
    const from = 'text' in heard ? heard.to - 1 : heard.to - heard.missed;
    if ('text' in heard) assert.equal(heard.text, truth.get(heard.to)?.slice(0, heard.text.length));
    // What is missing of the past was told by number: behind it, it is not missing once more.
    if (!isPast && resumption !== undefined && resumption.recovered !== true)
      stand = Math.max(stand ?? 0, resumption.at.offset);
    if (stand !== null) {
      assert.ok(from >= stand, `${JSON.stringify(heard)} comes behind ${stand}`);
      const mayJump = isPast && resumption.recovered !== true;
      if (!mayJump) assert.equal(from - stand, silentIn(stand, from), `no jump from ${stand} to ${heard.to}`);
    }
    if (isPast && 'text' in heard) replayed++;
    if (isPast && 'missed' in heard) diedOnTheWay += heard.missed;
    stand = heard.to;
  }
  if (member.answer === undefined) assert.equal(stand, null, 'nothing comes before the answer');
  // Who is still there has heard everything: nothing was missed on the way from the past to what is new.
  if (!isOver(session) && stand !== null && last > stand) {
    const isPast = resumption !== undefined && stand < resumption.at.offset && resumption.recovered !== true;
    const from = isPast ? resumption.at.offset : stand;
    assert.equal(silentIn(from, last), last - from, `all is heard from ${stand} to ${last}`);
  }
  if (resumption === undefined) return;
  const { recovered, missed, from, at } = resumption;
  assert.equal(recovered !== undefined, typeof since === 'object');
  if (typeof since !== 'object') return;
  if (missed === null) assert.equal(replayed, 0);
  else if (recovered === true) assert.deepEqual(from, { ...since, offset: since.offset });
  if (missed === null || (isOver(session) && stand !== null && stand < at.offset)) return;
  const silent = silentIn(from.offset, at.offset);
  assert.equal(
    replayed + diedOnTheWay + silent + (missed ?? 0),
    at.offset - since.offset,
    'asked = replayed + missed',
  );
}

const seen = { recovered: 0, missed: 0, unknown: 0, kept: 0, portions: 0, gaps: 0, lost: 0, slow: 0 };

test.serial(
  'whatever happens, who is told that it has recovered has: each message once, in order, and no silent gap',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(settings, fc.array(act, { maxLength: 120, size: 'max' }), async (of, acts) => {
        const { total, resume, ...bounds } = of;
        const world = topicsWorld(null, keeping(bounds, { total, resume }));
        const { topics, publish, quiet, advance, accounting, kill, root } = world;
        const publisher = world.member();
        const [red, blue] = [formatNamed('red', 'red bomb'), formatNamed('blue', 'blue bomb')];
        const clients = Array.from(
          { length: 5 },
          (_, i): Client => ({ format: i % 2 === 0 ? red : blue, sessions: [] }),
        );
        const texts: string[] = [];
        const say = (text: string) => {
          const receipt = `${texts.length}`;
          texts.push(text);
          assert.ok(publish(publisher, NAME, text, 1, { receipt }));
        };
        const topic = () => topics.find(REALM, NAME);
        let kills = 0;
        for (const step of acts) {
          const client = 'who' in step ? (clients[step.who] as Client) : undefined;
          const session = client === undefined ? undefined : current(client);
          switch (step.type) {
            case 'publish':
              say(`m${texts.length} ${'x'.repeat(step.size)}`);
              break;
            case 'odd':
              if (step.text !== 'flood') say(step.text);
              else for (let i = 0; i < 8; i++) say(`m${texts.length} ${'x'.repeat(30_000)}`);
              break;
            case 'come': {
              if (client === undefined || session !== undefined) break;
              const since = sinceOf(world, step.since, client.sessions.at(-1));
              const member = world.member();
              member.asks = false;
              client.sessions.push({ since, member, hasGone: false });
              world.join(member, NAME, { format: client.format, ...(since === undefined ? {} : { since }) });
              break;
            }
            case 'cut':
            case 'leave':
              if (session === undefined) break;
              session.hasGone = true;
              if (step.type === 'cut') world.end(session.member);
              else world.leave(session.member, NAME);
              break;
            case 'ask':
              session?.member.ask();
              break;
            case 'behind':
            case 'caught up':
              if (session?.member.topic !== undefined)
                behind(session.member.topic, session.member.pid, step.type === 'behind');
              break;
            case 'red fails':
              red.fails = true;
              break;
            case 'blue fails':
              blue.fails = true;
              break;
            case 'kill server': {
              const server = topic()?.server;
              if (server !== undefined) kill(server as Pid<never>);
              break;
            }
            case 'kill supervisor':
              if (kills++ === 0) kill(`topics.${hashKey(NAME) % 8}.servers`);
              break;
            case 'wait':
              if (step.time < 0) await turn();
              else await advance(step.time);
              break;
          }
        }
        red.fails = false;
        blue.fails = false;
        // All who are there catch up, and take what is left for them.
        await quiet();
        for (let i = 0; i < 60; i++) {
          for (const client of clients) {
            const member = current(client)?.member;
            if (member?.topic !== undefined) behind(member.topic, member.pid, false);
            member?.ask();
          }
          await quiet();
        }
        if (!isAlive(root)) return;
        const last = topics.histories.find(REALM, NAME)?.last ?? 0;
        const truth = truthOf(publisher, texts);
        for (const { sessions } of clients) for (const session of sessions) judge(session, truth, last);
        assert.equal(publisher.credit, texts.length);
        assert.equal(accounting.messages, texts.length);
        assert.ok(isBalanced(accounting), `${accounting}`);
        const { resumed } = topics.histories;
        for (const key of ['recovered', 'missed', 'unknown', 'kept'] as const) seen[key] += resumed[key];
        for (const { sessions } of clients)
          for (const { member } of sessions) {
            if (member.heard.some((item) => item.startsWith('gap:'))) seen.gaps++;
            if (member.told.some((word) => word.startsWith('lost'))) seen.lost++;
            if (member.told.some((word) => word.startsWith('too-slow'))) seen.slow++;
            if (member.portions > 0) seen.portions++;
          }
      }),
      { numRuns: 300, includeErrorInReport: true },
    );
    t.pass();
  },
);

test.serial('all of that has happened', (t) => {
  t.log(seen);
  // Who is too slow is rare here.
  for (const [what, count] of Object.entries(seen)) if (what !== 'slow') t.true(count > 0, what);
});
