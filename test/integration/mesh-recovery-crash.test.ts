import test, { type ExecutionContext } from 'ava';
import { homeOf } from '../../src/cluster/mesh/ordering.ts';
import { exit } from '../../src/otp/signal.ts';
import { eventually } from '../support/arrivals.ts';
import { fanfareClient, publish, subscribe } from '../support/fanfare-client.ts';
import { pairOfRelays } from '../support/pair-of-relays.ts';
import { isBalanced, type TestRelay } from '../support/relay.ts';

const topic = Array.from({ length: 100 }, (_, index) => `c${index}`).find(
  (name) => homeOf(`main\0${name}`, ['n0', 'n1']) === 'n0',
) as string;

function kill({ relay }: TestRelay, which: string): void {
  for (const one of relay.system.processes.values()) if (one.behaviour.name === which) exit(one, 'kill');
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Joins and publishes at once at both, and the process of that name is killed in the middle, at either. */
async function storm(t: ExecutionContext, which: string, turns: number) {
  const pair = await pairOfRelays(t, {
    topics: [{ pattern: 'c*', ordering: 'cluster', history: true }],
    doors: { pusu: {} },
  });
  await pair.link();
  const publisher = await fanfareClient(t, pair.relays[1]);
  const clients = await Promise.all(
    [0, 1, 0, 1].map((index) => fanfareClient(t, pair.relays[index] as TestRelay)),
  );
  for (const client of clients) client.say(subscribe(topic, 'all'));
  for (let id = 1; id <= 20; id++) publisher.say(publish(topic, id, { id }));
  for (let turn = 0; turn < turns; turn++) await nextTurn();
  for (const relay of pair.relays) kill(relay, which);
  // Whatever was held: everybody is answered.
  await Promise.all(
    clients.map((client) =>
      eventually(
        () => client.ws.got.all.some((frame) => /"subscribe_(ok|error)"|"unavailable"/.test(String(frame))),
        'each join is answered',
      ),
    ),
  );
  await eventually(
    () => publisher.ws.got.all.filter((frame) => /"publish_(ok|error)"/.test(String(frame))).length === 20,
    'each publish is answered',
  );
  await pair.link();
  const late = await fanfareClient(t, pair.relays[1]);
  late.say(subscribe(topic, 'all'));
  await eventually(
    () => late.ws.got.all.some((frame) => String(frame).includes('"subscribe_ok"')),
    'it goes on',
  );
  late.say(publish(topic, 'last'));
  await eventually(() => late.ws.got.all.some((frame) => String(frame).includes('"last"')), 'messages flow');
  await eventually(() => pair.relays.every(({ accounting }) => isBalanced(accounting)), 'balanced books');
}

for (const which of ['topic-server', 'inbound-link', 'outbound-link', 'interest-server', 'topic-router'])
  test(`nobody waits for ever, whatever a ${which} was doing when it was killed`, async (t) => {
    for (const turns of [1, 3, 6]) await storm(t, which, turns);
    t.pass();
  });
