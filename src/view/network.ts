import { type LinkVitals, NO_VITALS, VITALS_PERIOD, type Vitals } from '../measure/vitals.ts';

/** Another relay, as this one is linked to it. */
export interface PeerView {
  /** Its name, or its address while that is not known. */
  readonly node: string;
  readonly isUp: boolean;
  /** Why it is not linked, or tells nothing. */
  readonly why: string | null;
}

/** What another relay has told of itself last, and how many milliseconds ago. */
export interface HeardView {
  readonly vitals: Vitals | null;
  readonly ago: number;
  readonly hasLeft: boolean;
}

/** One relay beside the others. */
export interface RelayRow extends Vitals {
  readonly node: string;
  readonly own: boolean;
  /**
   * Its phase, as it tells it; or what this relay finds: `down` (it is not linked), `stale` (linked, and has not told its
   * numbers for a while), `stopped` (it has said goodbye), `unknown` (linked, and has told none).
   */
  readonly state: string;
  readonly why: string | null;
  /** Milliseconds since it was heard last; null: this relay itself, or never. */
  readonly heard: number | null;
  /** Of the link from here, in milliseconds. */
  readonly roundTrip: number | null;
  readonly lag: number | null;
  /** What slows it down, or the others; none where nothing does. */
  readonly troubles: readonly string[];
}

/** Milliseconds without a word after which numbers are stale. */
const STALE = 3 * VITALS_PERIOD;
/** Milliseconds that a link or the event loop may be late, and the part of the time that the loop may be busy. */
const LATE = 250;
const BUSY = 0.95;
/** Seconds of a relay's life in which its event loop is busy with its start. */
const START = 10;

type Found = Omit<RelayRow, 'troubles'>;

/** All relays, this one first, the others by name, and which of them lag. */
export function networkRows(
  node: string,
  vitals: Vitals,
  peers: readonly PeerView[],
  heardOf: (node: string) => HeardView | undefined,
): RelayRow[] {
  const own: Found = {
    ...vitals,
    node,
    own: true,
    state: vitals.phase ?? 'unknown',
    why: null,
    heard: null,
    roundTrip: null,
    lag: null,
  };
  const others = peers
    .map((peer) => rowOf(peer, heardOf(peer.node), vitals.links))
    .sort((a, b) => (a.node < b.node ? -1 : 1));
  const rows = [own, ...others];
  const slow = slowLinks(rows);
  return rows.map((row) => ({ ...row, troubles: troublesOf(row, slow.get(row.node) ?? []) }));
}

function rowOf(peer: PeerView, heard: HeardView | undefined, links: readonly LinkVitals[]): Found {
  const { node, isUp } = peer;
  const { roundTrip = null, lag = null } = links.find((link) => link.peer === node) ?? {};
  const told = heard?.vitals ?? NO_VITALS;
  return {
    // What a relay has told that cannot be reached is not how it is.
    ...(isUp ? told : { ...NO_VITALS, version: told.version }),
    node,
    own: false,
    ...stateOf(peer, heard),
    heard: heard === undefined ? null : Math.round(heard.ago),
    roundTrip: isUp ? roundTrip : null,
    lag: isUp ? lag : null,
  };
}

function stateOf({ isUp, why }: PeerView, heard: HeardView | undefined): Pick<Found, 'state' | 'why'> {
  if (!isUp && heard?.hasLeft === true) return { state: 'stopped', why: 'it has said goodbye' };
  if (!isUp) return { state: 'down', why };
  if (heard?.vitals == null) return { state: 'unknown', why: why ?? 'it has told nothing yet' };
  if (heard.ago > STALE) return { state: 'stale', why: null };
  return { state: heard.vitals.phase ?? 'unknown', why: null };
}

/** A link between two relays that is late, as one of them tells, or both. */
interface SlowLink {
  readonly ends: readonly [string, string];
  readonly roundTrip: number;
  readonly lag: number;
}

/**
 * The links that are late, by the relay that is the cause: the end that has more late links than the other one. Where
 * both have as many, it is the end whose event loop is later, and else the one that is not this relay.
 */
function slowLinks(rows: readonly Found[]): Map<string, { readonly to: string; readonly link: SlowLink }[]> {
  const links = new Map<string, SlowLink>();
  for (const { node, links: told, state } of rows) {
    if (NOT_HEARD.has(state)) continue;
    for (const { peer, up, roundTrip, lag } of told) {
      if (!up || Math.max(roundTrip ?? 0, lag ?? 0) < LATE) continue;
      const ends = node < peer ? ([node, peer] as const) : ([peer, node] as const);
      const known = links.get(ends.join(' '));
      links.set(ends.join(' '), {
        ends,
        roundTrip: Math.max(roundTrip ?? 0, known?.roundTrip ?? 0),
        lag: Math.max(lag ?? 0, known?.lag ?? 0),
      });
    }
  }
  const late = new Map<string, number>();
  for (const { ends } of links.values()) for (const end of ends) late.set(end, (late.get(end) ?? 0) + 1);
  const rank = (node: string): readonly [number, number, number] => {
    const row = rows.find((one) => one.node === node);
    // What is no relay, such as the network between them, has no row to say it in.
    if (row === undefined) return [-1, 0, 0];
    return [late.get(node) ?? 0, row.loopDelay ?? 0, row.own ? 0 : 1];
  };
  const byCause = new Map<string, { readonly to: string; readonly link: SlowLink }[]>();
  for (const link of links.values()) {
    const [one, other] = link.ends;
    const [first, second] = [rank(one), rank(other)];
    const differs = first.findIndex((value, index) => value !== second[index]);
    const isFirst = differs === -1 || (first[differs] ?? 0) > (second[differs] ?? 0);
    const cause = isFirst ? one : other;
    byCause.set(cause, [...(byCause.get(cause) ?? []), { to: isFirst ? other : one, link }]);
  }
  return byCause;
}

/** What was told is not how things are now. */
const NOT_HEARD: ReadonlySet<string> = new Set(['down', 'stale', 'stopped', 'unknown']);

function troublesOf(
  { state, why, heard, uptime, loopDelay, busy }: Found,
  slow: readonly { readonly to: string; readonly link: SlowLink }[],
): string[] {
  const troubles: string[] = [];
  if (state === 'down') troubles.push(why ?? 'it is being dialled');
  if ((state === 'down' || state === 'stale') && heard !== null)
    troubles.push(`not heard for ${timeText(heard)}`);
  const isServing = !NOT_HEARD.has(state) && state !== 'starting';
  const isYoung = uptime !== null && uptime < START;
  if (isServing && loopDelay !== null && loopDelay >= LATE)
    troubles.push(`its event loop stood still for ${timeText(loopDelay)}`);
  if (isServing && !isYoung && busy !== null && busy >= BUSY)
    troubles.push(`its event loop is ${Math.round(busy * 100)}% busy`);
  if (slow.length > 0) {
    const roundTrip = Math.max(...slow.map(({ link }) => link.roundTrip));
    const lag = Math.max(...slow.map(({ link }) => link.lag));
    const late = [
      ...(lag >= LATE ? [`lag ${timeText(lag)}`] : []),
      ...(roundTrip >= LATE ? [`round trip ${timeText(roundTrip)}`] : []),
    ];
    const ends = slow.map(({ to }) => to).toSorted();
    troubles.push(`${late.join(', ')}, with ${namesText(ends)}`);
  }
  return troubles;
}

/** Names in one line. */
const NAMED = 3;

function namesText(names: readonly string[]): string {
  if (names.length > NAMED) return `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`;
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function timeText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)}ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${Math.round(seconds * 10) / 10}s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)}m` : `${Math.floor(seconds / 3600)}h`;
}

/** Which relays are down or lag, and why, a line for each, those that are down first. */
export function troubleLines(rows: readonly RelayRow[]): string[] {
  const isDown = ({ state }: RelayRow) => Number(state === 'down');
  return rows
    .toSorted((a, b) => isDown(b) - isDown(a))
    .flatMap(({ node, state, troubles }) =>
      troubles.length === 0
        ? []
        : [`${node} ${state === 'down' ? 'is down' : 'lags'}: ${troubles.join('; ')}`],
    );
}
