import type { InterestFrame, PeerTopic } from '../../door/peer/codec.ts';
import { peerFormat } from '../../door/peer/format.ts';
import { inform } from '../../otp/process.ts';
import type { Topic } from '../../topic/topic.ts';
import { keyOf } from '../interest-server.ts';
import { answer } from './serving.ts';
import type { State } from './serving-link-state.ts';

/** The topics that the relay at the other end wants, and our being in them. */

export function interest(state: State, frame: InterestFrame): void {
  state.frames++;
  if (frame.begin) state.listing = new Set();
  for (const topic of frame.add) {
    const key = keyOf(topic);
    state.listing?.add(key);
    if (state.wanted.has(key)) continue;
    state.wanted.set(key, { ...topic, topic: undefined });
    state.joining.set(key, state.frames);
    join(state, topic);
  }
  for (const topic of frame.drop) leave(state, keyOf(topic));
  if (frame.end && state.listing !== undefined) {
    for (const key of state.wanted.keys()) if (!state.listing.has(key)) leave(state, key);
    state.listing = undefined;
  }
  if (frame.version > 0 || frame.end) {
    state.toConfirm.push({ version: frame.version, frame: state.frames });
  }
}

/** Confirms the last version all of whose topics are joined. */
export function confirm(state: State): void {
  if (state.toConfirm.length === 0) return;
  const [lowest = Number.POSITIVE_INFINITY] = state.joining.values();
  let version: number | undefined;
  while ((state.toConfirm[0]?.frame ?? lowest) < lowest) version = state.toConfirm.shift()?.version;
  if (version !== undefined) answer(state, { type: 'confirm', version });
}

/** Should the answer not come (a partition of topics that is being restarted), it is asked again with the next tick. */
export function join({ network, self }: State, { realm, name }: PeerTopic): void {
  const request = { type: 'join', name, member: self, format: peerFormat(realm), while: 'wanted' } as const;
  network.topics().route(self.system, realm, request);
}

export function joined(state: State, topic: Topic): void {
  const key = keyOf(topic);
  state.joining.delete(key);
  const wanted = state.wanted.get(key);
  if (wanted !== undefined) wanted.topic = topic;
  else if (topic.server !== undefined) inform(topic.server, { type: 'leave', member: state.self });
}

export function leave(state: State, key: string): void {
  const wanted = state.wanted.get(key);
  state.wanted.delete(key);
  state.joining.delete(key);
  const server = wanted?.topic?.server;
  if (server !== undefined) inform(server, { type: 'leave', member: state.self });
}

export function rejoin(state: State, topic: Topic): void {
  const wanted = state.wanted.get(keyOf(topic));
  if (wanted?.topic !== topic) return;
  wanted.topic = undefined;
  state.joining.set(keyOf(topic), state.frames);
  join(state, wanted);
}
