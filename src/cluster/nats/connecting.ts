import type { NatsConnection } from '@nats-io/transport-node';
import { inform, type Self, send } from '../../otp/process.ts';
import { now, sendAfter } from '../../otp/timer.ts';
import * as interest from '../interest-server.ts';
import { Overflow } from '../overflow.ts';
import * as ownership from '../ownership-server.ts';
import { beat, endConversation, openConversation } from './conversation.ts';
import { dialAny } from './dial.ts';
import { askServer, isSilent, subscribe } from './linked.ts';
import type { NatsLinkMessage, State } from './nats-link-state.ts';
import { Window } from './window.ts';

/** How the connection to a server of NATS is made, watched, and made again. */

export const RETRY_FIRST = 500;
const RETRY_MOST = 4000;

export function dial(state: State): void {
  const { network, self, servers } = state;
  if (state.linked !== undefined || state.dialling || state.ending) return;
  const attempt = ++state.attempt;
  state.dialling = true;
  dialAny(network.settings, servers).then(
    (connection) => {
      // A link that has ended meanwhile has no use for it.
      if (!send(self, { type: 'opened', attempt, connection })) void connection.close();
    },
    (error) => inform(self, { type: 'failed', attempt, why: textOf(error) }),
  );
}

export function opened(state: State, connection: NatsConnection): void {
  const { network, self, subjects: names, headers } = state;
  const { info } = connection;
  state.dialling = false;
  if (connection.isClosed() || info?.headers !== true) {
    void connection.close();
    hangUp(state, connection.isClosed() ? 'connection lost' : 'the server knows no headers');
    return;
  }
  void connection.closed().then((error) => {
    inform(self, {
      type: 'closed',
      connection,
      why: error === undefined ? 'connection lost' : textOf(error),
    });
  });
  void watch(self, connection);
  for (const subject of [names.relays, names.hello, names.relay(network.self.incarnation)])
    subscribe(state, connection, subject, null);
  const talk = openConversation({ network, self, connection, subjects: names, headers });
  const { pending } = network.settings;
  state.linked = {
    connection,
    headers,
    subjects: names,
    talk,
    window: new Window(pending),
    overflow: new Overflow(),
    maxPayload: info.max_payload,
    askedAt: null,
    subscriptions: new Map(),
    received: 0,
    heardAt: now(self),
  };
  network.open = state.linked;
  state.retry = RETRY_FIRST;
  state.said = '';
  network.stats.connected = true;
  network.stats.connects++;
  network.stats.server = connection.getServer();
  network.stats.why = null;
  network.log.note('nats connected', { server: connection.getServer() });
  interest.attach(self.system, self);
  ownership.attach(self.system, self, null);
  tick(state);
}

/** Passes on what the server complains of, such as a subject that this relay may not use. */
async function watch(self: Self<NatsLinkMessage>, connection: NatsConnection): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'error') inform(self, { type: 'trouble', connection, why: textOf(status.error) });
  }
}

/** Says that this relay is there, and looks whether the server is. */
export function tick(state: State): void {
  const { network, self, linked } = state;
  if (linked === undefined) return;
  const { heartbeat, timeout } = network.settings;
  if (isSilent(state, linked, timeout)) {
    hangUp(state, 'silent');
    return;
  }
  sayOverflow(state);
  beat(linked.talk);
  askServer(state, linked, true);
  state.timer?.cancel();
  state.timer = sendAfter(self, heartbeat, { type: 'tick' });
}

export function reload(state: State, servers: readonly string[]): void {
  if (servers.join() === state.servers.join()) return;
  state.servers = servers;
  state.retry = RETRY_FIRST;
  if (state.linked !== undefined) hangUp(state, 'the list of servers has changed');
}

/** Ends the connection, if there is one, and dials again later. */
export function hangUp(state: State, why: string): void {
  const { network, self } = state;
  const connected = state.linked !== undefined;
  const unconfirmed = disconnect(state);
  state.dialling = false;
  if (connected) network.log.warn('nats disconnected', { why, unconfirmed });
  else if (why !== state.said) network.log.warn('nats not connected', { why });
  state.said = why;
  network.stats.why = why;
  // Relays that lost a server at once do not come back at once.
  const wait = state.retry * (0.5 + Math.random() / 2);
  state.retry = Math.min(state.retry * 2, RETRY_MOST);
  state.timer?.cancel();
  state.timer = state.ending ? undefined : sendAfter(self, wait, { type: 'dial' });
  if (state.ending) inform(self, { type: 'end' });
}

/** What has not been sent for want of room since it was said last, by topic. */
function sayOverflow({ network, linked }: State): void {
  const topics = linked?.overflow.take() ?? null;
  if (topics !== null) network.log.warn('link overflow', { over: 'nats', topics });
}

/** Returns how many messages the server has not confirmed. */
export function disconnect(state: State): number {
  const { network, self, linked } = state;
  if (linked === undefined) return 0;
  sayOverflow(state);
  state.linked = undefined;
  network.open = undefined;
  const count = linked.window.clear();
  network.topics().accounting.drop(count, 'unlinked');
  network.stats.unlinked += count;
  network.stats.connected = false;
  network.stats.roundTrip = null;
  interest.detach(self.system, self);
  ownership.detach(self.system, self);
  endConversation(linked.talk);
  void linked.connection.close();
  return count;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
