import { send } from '../otp/process.ts';
import { sharedOf } from './follower.ts';
import { PORTION } from './history/replays.ts';
import { Delivery, type Message } from './message.ts';
import type { Recall } from './topic.ts';
import { answerNothing } from './topic-requests.ts';
import { fanOut, type State } from './topic-state.ts';

/** Sends another relay what is kept behind where it stands, and where the line stands. */
export function answer(state: State, request: Recall): void {
  const { topic, accounting, histories, keys } = state;
  const { follower, line } = topic;
  // A line that nothing has been published to, and that nobody was told of, counts for nobody.
  if (follower === null || line === null || follower.mode === 'apart' || follower.since === '') {
    answerNothing(request, accounting);
    return;
  }
  // What waits comes behind the answer otherwise, over the same link.
  if (topic.fanOut.isReady) fanOut(state);
  const { member, since } = request;
  const keyed = new Map<number, string>();
  for (const [key, at] of keys.of(topic)) if (line.has(at)) keyed.set(at.offset, key);
  const say = (messages: readonly Message[], first: number) => {
    const place = { epoch: line.epoch, first, lineage: line.lineage };
    const { length } = messages;
    accounting.attempt(length);
    const keysOf = keyed.size === 0 ? [] : messages.map((_, i) => keyed.get(first + i) ?? '');
    const delivery = new Delivery(request.answer(messages, place, keysOf), length, accounting);
    if (!send(member, delivery)) accounting.drop(length, 'gone');
  };
  const cursor = line.behind(sharedOf(line, since), histories.resumeLimit)?.copy();
  let run: Message[] = [];
  let bytes = 0;
  let first = 0;
  for (let entry = cursor?.peek() ?? null; entry !== null; entry = cursor?.peek() ?? null) {
    if (run.length > 0 && (entry.type === 'hole' || bytes >= PORTION)) {
      say(run, first);
      run = [];
      bytes = 0;
    }
    if (entry.type === 'message') {
      if (run.length === 0) first = entry.offset;
      run.push(entry.message);
      bytes += entry.message.payload.length;
    }
    cursor?.pass();
  }
  if (run.length > 0) say(run, first);
  say([], line.last + 1);
}
