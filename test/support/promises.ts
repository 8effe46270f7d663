import type { ExecutionContext } from 'ava';
import { type Behaviour, keep } from '../../src/otp/behaviour.ts';
import type { Message, Publish } from '../../src/topic/message.ts';
import type { Topic } from '../../src/topic/topic.ts';
import { eventually } from './arrivals.ts';
import { spawnOk } from './otp.ts';
import { isBalanced, type TestRelay } from './relay.ts';
import { connectWs, type Got, type WsClient } from './ws-client.ts';

/** What is needed to look at the promises while a relay is at work: clients that read, and clients that publish. */
export interface Crowd {
  readonly readers: readonly WsClient[];
  readonly publishers: readonly WsClient[];
  /** What all of the publishers have sent, in the order of each. */
  readonly sent: string[][];
  /** Each publisher sends so many messages more, a few at a time; `between` is called after each few. */
  publish(count: number, between?: (round: number) => void): Promise<void>;
  /** Waits until every reader that is open has got all that was sent. */
  heard(readers?: readonly WsClient[]): Promise<void>;
}

const BURST = 20;

/** Connects a crowd to one pinghub path; there publishers are members as well. */
export async function crowd(
  t: ExecutionContext,
  port: number,
  path: string,
  counts: { readonly readers: number; readonly publishers: number },
): Promise<Crowd> {
  const connect = (count: number) =>
    Promise.all(Array.from({ length: count }, () => connectWs(t, port, path)));
  const readers = await connect(counts.readers);
  const publishers = await connect(counts.publishers);
  const sent: string[][] = publishers.map(() => []);
  const total = () => sent.reduce((sum, { length }) => sum + length, 0);
  return {
    readers,
    publishers,
    sent,
    async publish(count, between = () => undefined) {
      for (let done = 0, round = 0; done < count; done += BURST, round++) {
        for (const [p, publisher] of publishers.entries()) {
          for (let i = 0; i < Math.min(BURST, count - done); i++) {
            const text = `${p}:${sent[p]?.length}`;
            sent[p]?.push(text);
            publisher.send(text);
          }
        }
        between(round);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    heard: async (who = readers) => {
      await eventually(
        () => who.every(({ got }) => got.all.length >= total()),
        `${total()} messages for each reader, not ${who.map(({ got }) => got.all.length)}`,
      );
    },
  };
}

/** Whether a reader got all messages of all publishers, once, each publisher's in its order. */
export function hasAllInOrder(got: readonly Got[], sent: readonly string[][]): boolean {
  const texts = got.filter((one): one is string => typeof one === 'string');
  return (
    texts.length === sent.reduce((sum, { length }) => sum + length, 0) &&
    sent.every((expected, p) => {
      const mine = texts.filter((text) => text.startsWith(`${p}:`));
      return mine.length === expected.length && mine.every((text, index) => text === expected[index]);
    })
  );
}

/** Waits until nothing is under way any more: the account is balanced, and stays so for some turns. */
export async function quietAccount({ accounting }: TestRelay): Promise<void> {
  let before = -1;
  let turns = 0;
  await eventually(() => {
    const { attempts, messages } = accounting;
    const same = attempts + messages === before && isBalanced(accounting);
    before = attempts + messages;
    turns = same ? turns + 1 : 0;
    return turns > 20;
  }, 'a balanced account');
}

/** The live topic of realm `main`. */
export function topicOf({ relay }: TestRelay, name: string): Topic {
  const topic = relay.topics.find('main', name);
  if (topic === undefined) throw new Error(`no topic ${name}`);
  return topic;
}

/** A publish that crashes the server that renders it. */
export function poison({ relay }: TestRelay): Publish {
  const nobody: Behaviour<null, null, unknown> = { name: 'nobody', init: () => null, handle: () => keep };
  const message: Message = {
    kind: 'text',
    get payload(): Buffer {
      throw new Error('poison');
    },
  };
  return { type: 'publish', message, from: spawnOk(relay.system, nobody, null), via: null, credit: 0 };
}
