import { Connection, type Phase } from '../connection/connection.ts';
import { size } from '../measure/size.ts';
import type { Pid } from '../otp/process.ts';
import { exit } from '../otp/signal.ts';
import { type Resident, resident, residents, viewOf } from '../otp/sys.ts';
import type { System } from '../otp/system.ts';
import { now } from '../otp/timer.ts';
import type { Certificate, Ended } from './history.ts';
import { type Page, pageOf } from './page-of.ts';
import { numberOf, processOf, topicOf } from './references.ts';
import { type NodeView, Refusal } from './relay-view.ts';
import { isMeant, type Whom, wasMeant } from './whom.ts';

/** A process's connection; undefined: the process serves none. */
export function connectionOf({ state }: Resident): Connection | undefined {
  return state instanceof Connection ? state : undefined;
}

/** Bytes that wait to be written to a client. */
export function pendingOf({ outflow, transport }: Connection): number {
  return outflow.pending(transport.socket.writableLength);
}

/** How a connection is, in one word: a client that is `stalled` does not read, one that is `behind` holds its topics back. */
function conditionOf({ outflow, phase }: Connection): 'stalled' | 'behind' | Phase {
  if (phase === 'closing') return phase;
  return outflow.stalled ? 'stalled' : outflow.behind ? 'behind' : phase;
}

/** Topics of a connection that are listed by name. */
const TOPICS_NAMED = 20;

/** All that is known of a connection while it lives; undefined: the process serves none. */
export function connectionDetails(pid: Pid<never>) {
  const row = connectionRow(pid);
  const connection = connectionOf(resident(pid));
  if (row === undefined || connection === undefined) return undefined;
  const { memberships, authorised, transport } = connection;
  const names = Array.from(memberships, ({ name }) => name);
  return {
    ...row,
    transport: transport.kind,
    authorised,
    /** Bytes that the kernel has taken for the client, ever: they grow where one message takes seconds. */
    taken: connection.bytesTaken,
    memberships: namedTopics(names),
    owns: memberships.owned?.name ?? null,
    /** Why it is slow, and what comes of it, in words; null: it is not. */
    trouble: troubleOf(connection),
  };
}

function troubleOf(connection: Connection): string | null {
  const { outflow, context, memberships, self } = connection;
  const { pending, writeStall } = context.limits;
  const waiting = size(pendingOf(connection));
  const limit = pending > 0 ? `with more than ${size(pending)} (limits.pending)` : null;
  const stall = writeStall > 0 ? `after ${seconds(writeStall)} of that (limits.write_stall)` : null;
  const ends = (ways: readonly (string | null)[]) => {
    const known = ways.filter((way) => way !== null);
    return known.length === 0 ? '' : ` It is closed ${known.join(', or ')}.`;
  };
  if (outflow.stalled) {
    const still =
      outflow.waitsSince === null
        ? ''
        : `, and it has taken nothing for ${seconds(now(self) - outflow.waitsSince)}`;
    return `It does not read: ${waiting} wait for it${still}. Nobody waits for it.${ends([stall, limit])}`;
  }
  if (!outflow.behind) return null;
  const topics = memberships.size === 1 ? 'its topic waits' : `its ${memberships.size} topics wait`;
  return `It reads too slowly: ${waiting} wait for it, and ${topics} until it has caught up.${ends([limit])}`;
}

function seconds(milliseconds: number): string {
  return `${Math.max(0, Math.round(milliseconds / 1000))} s`;
}

function namedTopics(names: readonly string[]): readonly string[] {
  const more = names.length - TOPICS_NAMED;
  return more > 0 ? [...names.slice(0, TOPICS_NAMED), `… ${more} more`] : names;
}

type ConnectionRow = NonNullable<ReturnType<typeof connectionRow>>;

/** The row of a connection's process; undefined: the process serves none. */
export function connectionRow(pid: Pid<never>) {
  const state = connectionOf(resident(pid));
  if (state === undefined) return undefined;
  const { context, address, phase, memberships, intake, outflow, heartbeat } = state;
  return {
    ref: pid.toString(),
    door: context.door.name,
    address,
    subject: state.subject,
    phase,
    state: conditionOf(state),
    topics: memberships.size,
    /** Bytes that wait for the client. */
    pending: pendingOf(state),
    pendingHighWater: outflow.highWater,
    in: intake.published,
    out: outflow.messages,
    /** Milliseconds. */
    age: Math.round(viewOf(pid).uptime),
    /** Milliseconds of the last ping and its pong. */
    roundTrip: heartbeat.roundTrip,
    behind: outflow.behind,
  };
}

type ConnectionsBy = 'pending' | 'out' | 'in' | 'age' | 'topics';

/** Some of the connections that are meant: those that have most of something first; and how many there are. */
export function connections(
  { system }: NodeView,
  by: ConnectionsBy,
  { limit, offset = 0 }: { readonly limit: number; readonly offset?: number },
  meant: Whom = {},
): Page<ConnectionRow> {
  const scores: Record<ConnectionsBy, (connection: Connection, process: Resident) => number> = {
    pending: pendingOf,
    out: ({ outflow }) => outflow.messages,
    in: ({ intake }) => intake.published,
    age: (_, { startedAt }) => -startedAt,
    topics: ({ memberships }) => memberships.size,
  };
  const score = scores[by];
  const page = pageOf(connectionsOf(system, meant), ([process, connection]) => score(connection, process), {
    limit,
    offset,
  });
  return { ...page, rows: page.rows.flatMap(([process]) => connectionRow(process) ?? []) };
}

/** The connections that are meant, with their processes. */
function* connectionsOf(system: System, meant: Whom): Iterable<readonly [Resident, Connection]> {
  for (const process of residents(system)) {
    const connection = connectionOf(process);
    if (connection !== undefined && isMeant(connection, meant)) yield [process, connection];
  }
}

/** A client that is there, with what it has sent and got since `before` in messages per second, or one that is gone. */
export type ClientView =
  | ({
      readonly type: 'live';
      readonly inRate: number;
      readonly outRate: number;
      /** Bytes in a second. */
      readonly takenRate: number;
    } & NonNullable<ReturnType<typeof connectionDetails>>)
  | Certificate;

/**
 * One client, by its pid or by what is known of it, there or gone. Of one that is there its rates are looked at for
 * `period` milliseconds.
 */
export async function client(
  node: NodeView,
  ref: unknown,
  wait: (period: number) => Promise<void>,
  period: number,
): Promise<ClientView> {
  const meant = typeof ref === 'object' && ref !== null ? (ref as Whom) : null;
  const pid = meant === null ? livePid(node, ref) : theOnly(node, meant);
  const before = pid === undefined ? undefined : connectionDetails(pid);
  if (pid === undefined || before === undefined)
    return meant === null ? why(node, ref) : theLast(node, meant);
  const start = performance.now();
  await wait(period);
  const seconds = Math.max(0.001, (performance.now() - start) / 1000);
  const after = connectionDetails(pid);
  if (after === undefined) return why(node, pid.toString());
  return {
    type: 'live',
    ...after,
    inRate: (after.in - before.in) / seconds,
    outRate: (after.out - before.out) / seconds,
    takenRate: (after.taken - before.taken) / seconds,
  };
}

function livePid(node: NodeView, ref: unknown): Pid<never> | undefined {
  const number = numberOf(ref);
  return number === undefined ? processOf(node, ref) : node.system.processes.get(number);
}

function theOnly({ system }: NodeView, meant: Whom): Pid<never> | undefined {
  const [first, second] = connectionsOf(system, meant);
  if (second !== undefined)
    throw new Refusal('more than one client is meant: connections({…}) with the same lists them');
  return first?.[0];
}

function theLast({ history }: NodeView, meant: Whom): Certificate {
  for (const ended of history.ended()) if (ended.type === 'closed' && wasMeant(ended, meant)) return ended;
  throw new Refusal('no such client is there, nor has one gone lately');
}

/** The first `n` members of a topic. */
export function members(
  node: NodeView,
  ref: unknown,
  { limit, offset }: { readonly limit: number; readonly offset: number },
) {
  const topic = topicOf(node, ref);
  const rows = [];
  let passed = 0;
  for (const { format, members: pids } of topic.members.groups) {
    for (const pid of pids.keys()) {
      if (rows.length >= limit) break;
      if (passed++ < offset) continue;
      const connection = connectionRow(pid as Pid<never>);
      rows.push({
        ref: pid.toString(),
        door: connection?.door ?? null,
        address: connection?.address ?? null,
        format: format.name,
        pending: connection?.pending ?? 0,
        behind: topic.fanOut.behind.has(pid),
      });
    }
  }
  return { topic: topic.toString(), total: topic.members.size, rows };
}

/** Longest text of a close frame's reason (RFC 6455, section 5.5: 125 bytes, 2 of them the code). */
const REASON_BYTES = 123;

/** Ends connections in good order, with 1001 and the operator's words: one by its pid, or all that are meant. */
export function disconnect(node: NodeView, ref: unknown, reason: unknown): string {
  const words = reason === undefined || reason === null ? 'disconnected by the operator' : String(reason);
  if (Buffer.byteLength(words) > REASON_BYTES)
    throw new Refusal(`a reason has at most ${REASON_BYTES} bytes`);
  if (typeof ref === 'object' && ref !== null) {
    const meant = Array.from(connectionsOf(node.system, ref as Whom), ([process]) => process);
    for (const process of meant) exit(process, { shutdown: words });
    if (meant.length === 0) throw new Refusal('no such client is there');
    return `${meant.length} ${meant.length === 1 ? 'client was' : 'clients were'} told to go: ${words}`;
  }
  const pid = processOf(node, ref);
  if (connectionRow(pid) === undefined) throw new Refusal(`${pid} is no connection`);
  exit(pid, { shutdown: words });
  return `${pid} was told to go: ${words}`;
}

/** Why a connection is gone. */
export function why(node: NodeView, ref: unknown): Certificate {
  const number = numberOf(ref);
  if (number === undefined) throw new Refusal('a connection is named by its pid, such as <88>');
  const certificate = node.history.certificateOf(number);
  if (certificate !== undefined) return certificate;
  const pid = node.system.processes.get(number);
  if (pid !== undefined) throw new Refusal(`<${number}> is alive`);
  throw new Refusal(`nothing is known of <${number}>: no connection, never accepted, or closed too long ago`);
}

/** The clients that are gone or were turned away, of those that are meant, the newest first. */
export function gone(
  { history }: NodeView,
  { limit, offset = 0 }: { readonly limit: number; readonly offset?: number },
  isIt: (ended: Ended) => boolean,
): Page<Ended> {
  const rows: Ended[] = [];
  let total = 0;
  for (const ended of history.ended()) {
    if (!isIt(ended)) continue;
    if (total >= offset && rows.length < limit) rows.push(ended);
    total++;
  }
  return { rows, total };
}
