import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { isAlive, type Pid } from '../../src/otp/process.ts';
import { resume, suspend } from '../../src/otp/sys.ts';
import { turn } from '../support/otp.ts';
import { isBalanced } from '../support/relay.ts';
import { type TestMember, topicsWorld } from './topics-world.ts';

const NAMES = ['x', 'y'] as const;
const MEMBERS = 3;

type Command =
  | { readonly do: 'join' | 'leave'; readonly who: number; readonly name: string }
  | { readonly do: 'publish' | 'poison'; readonly name: string }
  | { readonly do: 'kill-server' | 'hold-server'; readonly name: string }
  | { readonly do: 'kill-routers' | 'hold-routers' | 'hold-supervisors' | 'release' | 'turn' | 'quiet' };

const name = fc.constantFrom(...NAMES);
const who = fc.nat({ max: MEMBERS - 1 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('join' as const), who, name }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('leave' as const), who, name }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('publish' as const), name }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('poison' as const, 'kill-server' as const), name }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hold-server' as const), name }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('kill-routers' as const, 'hold-routers' as const, 'hold-supervisors' as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('release' as const, 'turn' as const, 'quiet' as const) }),
  },
);

/** What must be heard by whom: by those who knew that they were in and never left since. */
interface Sent {
  readonly text: string;
  readonly name: string;
  readonly owedTo: Set<TestMember>;
}

test('no join vanishes, no message is lost but the culprits, order holds, and nothing is left in the end', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { minLength: 5, maxLength: 40 }),
      fc.subarray([...NAMES]),
      async (commands, lasts) => {
        const world = topicsWorld();
        const { system, clock, accounting, topics } = world;
        const idle = system.processes.size;
        const publisher = world.member();
        const members = Array.from({ length: MEMBERS }, () => world.member());
        const asked = members.map(() => 0);
        const inside = members.map(() => new Set<string>());
        const sent: Sent[] = [];
        const poisons = new Set<string>();
        const held = new Set<Pid<never>>();
        let accepted = 0;
        const hold = (pid: Pid<never> | undefined) => {
          if (pid === undefined || !isAlive(pid)) return;
          suspend(pid);
          held.add(pid);
        };
        const named = (part: string) =>
          [...system.names].filter(([key]) => key.endsWith(part)).map(([, pid]) => pid);
        const release = () => {
          for (const pid of held) resume(pid);
          held.clear();
        };
        for (const [index, step] of commands.entries()) {
          switch (step.do) {
            case 'join':
              if (!world.join(members[step.who] as TestMember, step.name)) break;
              asked[step.who] = (asked[step.who] ?? 0) + 1;
              inside[step.who]?.add(step.name);
              break;
            case 'leave': {
              const leaver = members[step.who] as TestMember;
              world.leave(leaver, step.name);
              inside[step.who]?.delete(step.name);
              for (const one of sent) if (one.name === step.name) one.owedTo.delete(leaver);
              break;
            }
            case 'publish':
            case 'poison': {
              const text = `${step.do}${index}`;
              if (!world.publish(publisher, step.name, text, 1)) break;
              accepted++;
              if (step.do === 'poison') {
                clock.advance(6000);
                poisons.add(text);
                break;
              }
              const isIn = (one: TestMember, i: number) =>
                inside[i]?.has(step.name) &&
                one.told.length === asked[i] &&
                one.told.findLast((told) => told.includes(step.name)) === `joined ${step.name}`;
              const owedTo = new Set(members.filter(isIn));
              sent.push({ text, name: step.name, owedTo });
              break;
            }
            case 'kill-server': {
              const server = topics.find('main', step.name)?.server;
              // So late that no crash counts with the one before.
              clock.advance(6000);
              if (server !== undefined) world.kill(server);
              break;
            }
            case 'hold-server':
              hold(topics.find('main', step.name)?.server);
              break;
            case 'kill-routers':
              clock.advance(6000);
              for (const pid of named('.router')) world.kill(pid);
              break;
            case 'hold-routers':
              for (const pid of named('.router')) hold(pid);
              break;
            case 'hold-supervisors':
              for (const pid of named('.servers')) hold(pid);
              break;
            case 'release':
              release();
              break;
            case 'turn':
              await turn();
              break;
            case 'quiet':
              await world.quiet();
              break;
          }
        }
        release();
        await world.quiet();

        for (const [i, one] of members.entries()) {
          assert.equal(one.told.length, asked[i] ?? 0, 'each join is answered once');
          const numbers = one.heard.map((text) => Number(text.slice('publish'.length)));
          for (const place of NAMES) {
            const ofTopic = sent.filter(({ name: at }) => at === place).map(({ text }) => text);
            const heard = one.heard.filter((text) => ofTopic.includes(text));
            assert.deepEqual(
              heard,
              ofTopic.filter((text) => heard.includes(text)),
              'in order, and once',
            );
          }
          assert.ok(!numbers.some(Number.isNaN), 'no poison is heard');
        }
        for (const { text, owedTo } of sent)
          for (const one of owedTo) assert.ok(one.heard.includes(text), `${text} is heard`);
        assert.equal(publisher.credit, accepted, 'credit comes back once');
        assert.equal(accounting.messages, accepted);
        assert.ok(accounting.lost.crash <= poisons.size);
        assert.ok(isBalanced(accounting));

        for (const one of members) for (const place of NAMES) world.leave(one, place);
        // In one turn with the leaves: a topic that empties may have something left to fan out.
        for (const last of lasts) world.publish(publisher, last, 'publish to nobody', 1);
        await world.quiet();
        assert.deepEqual([...topics.all()], [], 'no topic is left');
        assert.equal(system.processes.size, idle + MEMBERS + 1, 'no process is left');
        system.halt();
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});
