import { OwnWords, redactText } from '../secret/redaction.ts';
import type { AuditEntry } from './audit.ts';
import { Ring } from './ring.ts';

/**
 * phase: how far the relay and its doors are; link: to other relays; trouble: what the relay suffers from, such as a stall or
 * an authenticator that is out; operator: what people and programs have done to the relay.
 */
export const HAPPENING_KINDS = [
  'phase',
  'link',
  'reload',
  'crash',
  'trouble',
  'operator',
  'close',
  'refusal',
] as const;

export type HappeningKind = (typeof HAPPENING_KINDS)[number];

/** One thing that happened, or many of one kind in one minute. */
export interface Happening {
  /** In milliseconds since 1970; of several, the last. */
  readonly at: number;
  readonly kind: HappeningKind;
  /** Whom or what it concerns: another relay, a process, a door, a person. */
  readonly of: string;
  readonly what: OwnWords;
  readonly count: number;
}

/** What is remembered of each kind: one that is frequent takes no room from the others. */
const KEPT = 1000;
/** Rows of closes, and of refusals. */
const FOLDED = 2000;
/** Rows of one minute. Two thirds of an hour are remembered at the least, however many reasons there are. */
const ROWS_PER_MINUTE = 50;
const MINUTE = 60_000;
/** Characters of one text; an expression at the prompt may be long. */
const LONGEST = 300;

type Fields = Readonly<Record<string, unknown>>;
type Told = readonly [kind: HappeningKind, of: string, what: string | OwnWords];

/** What has happened lately, but for crashes, which are remembered as reports. Nothing in it is secret. */
export class Happenings {
  readonly #rings = new Map<HappeningKind, Ring<Happening>>();
  readonly #closes: Minutes;
  readonly #refusals: Minutes;
  readonly #wallClock: () => number;

  constructor(wallClock: () => number = Date.now) {
    this.#wallClock = wallClock;
    this.#closes = new Minutes('close');
    this.#refusals = new Minutes('refusal');
  }

  add(kind: HappeningKind, of: string, what: string | OwnWords): void {
    let ring = this.#rings.get(kind);
    if (ring === undefined) {
      ring = new Ring(KEPT);
      this.#rings.set(kind, ring);
    }
    ring.push({ at: this.#wallClock(), kind, of: redactText(cut(of)), what: shown(what), count: 1 });
  }

  /** A line of the log: some of them tell what happened. */
  logged(message: string, fields: Fields = {}): void {
    const told = TOLD.get(message)?.(fields);
    if (told !== undefined) this.add(...told);
  }

  acted({ by, who, what, outcome, told, isLook = false }: AuditEntry): void {
    if (isLook) return;
    const shownOutcome = told === undefined ? outcome : outcome.replace(/:.*/s, '');
    const came = outcome === 'done' || outcome === 'heard' ? '' : `: ${shownOutcome}`;
    this.add(
      'operator',
      by === 'signal' ? 'signal' : who,
      `${by === 'signal' ? '' : `${by}: `}${told ?? what}${came}`,
    );
  }

  closed(door: string, code: number, reason: string): void {
    this.#closes.add(door, `${code} ${reason}`, this.#wallClock());
  }

  refused(door: string, reason: string): void {
    this.#refusals.add(door, reason, this.#wallClock());
  }

  /** Of one kind, or of all; of each kind the newest first. */
  *newest(kind?: HappeningKind): Iterable<Happening> {
    for (const [each, ring] of this.#rings) if (kind === undefined || kind === each) yield* ring.newest();
    if (kind === undefined || kind === 'close') yield* this.#closes.newest();
    if (kind === undefined || kind === 'refusal') yield* this.#refusals.newest();
  }
}

/** Counts by door and reason, a row for each minute in which there was one. Reasons may be the clients' own: they have a bound. */
class Minutes {
  readonly #kind: HappeningKind;
  readonly #rows = new Ring<Counted>(FOLDED);
  readonly #ofMinute = new Map<string, Counted>();
  #minute = 0;

  constructor(kind: HappeningKind) {
    this.#kind = kind;
  }

  add(door: string, reason: string, now: number): void {
    const minute = Math.floor(now / MINUTE);
    if (minute !== this.#minute) this.#ofMinute.clear();
    this.#minute = minute;
    const known = this.#ofMinute.get(`${door} ${reason}`);
    if (known !== undefined) {
      known.count++;
      known.at = now;
    } else if (reason !== OTHER && this.#ofMinute.size >= ROWS_PER_MINUTE) {
      this.add('-', OTHER, now);
    } else {
      const row = { at: now, door, reason, count: 1 };
      this.#ofMinute.set(`${door} ${reason}`, row);
      this.#rows.push(row);
    }
  }

  *newest(): Iterable<Happening> {
    for (const { at, door, reason, count } of this.#rows.newest())
      yield { at, kind: this.#kind, of: door, what: shown(reason), count };
  }
}

interface Counted {
  at: number;
  readonly door: string;
  readonly reason: string;
  count: number;
}

const OTHER = 'other reasons';

function shown(what: string | OwnWords): OwnWords {
  return what instanceof OwnWords ? new OwnWords(cut(String(what))) : new OwnWords(redactText(cut(what)));
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}

/** The lines of the log that tell what happened: whatever comes about is said there, once, and the time line is made of it. */
export const TOLD: ReadonlyMap<string, (fields: Fields) => Told> = new Map(
  Object.entries<(fields: Fields) => Told>({
    leaving: ({ drainDelayMs }) => ['phase', RELAY, `leaving: it drains in ${Number(drainDelayMs) / 1000} s`],
    draining: ({ door }) => ['phase', `door ${text(door)}`, 'draining'],
    drained: ({ door }) => ['phase', `door ${text(door)}`, 'drained'],
    'heap nearly full: new connections are refused': () => [
      'phase',
      RELAY,
      'shedding: the heap is nearly full, new connections are refused',
    ],
    'heap has room again': () => ['phase', RELAY, 'shedding is over: the heap has room again'],

    linked: ({ peer, over, missed, lost }) => [
      'link',
      text(peer),
      `up${over === undefined ? '' : `, heard over ${text(over)}`}${some(missed, 'missed')}${some(lost, 'lost so far')}`,
    ],
    unlinked: ({ peer, over, why, unconfirmed }) => [
      'link',
      text(peer),
      `down${over === undefined ? because(why) : `: not heard over ${text(over)}`}${some(unconfirmed, 'unconfirmed')}`,
    ],
    'not linked': ({ address, why }) => ['link', text(address), `cannot be linked${because(why)}`],
    serving: ({ peer }) => ['link', text(peer), 'takes messages from here'],
    'not serving': ({ peer, why, dropped }) => [
      'link',
      text(peer),
      `takes messages no longer${because(why)}${some(dropped, 'dropped')}`,
    ],
    'while it was away': ({ peer, dropped }) => [
      'link',
      text(peer),
      `${text(dropped)} messages for it were dropped while it was away`,
    ],
    'link overflow': ({ peer, over }) => [
      'link',
      text(peer ?? over),
      'lost messages: more waited than network.pending allows',
    ],
    'relay refused': ({ peer, address, why }) => ['link', text(peer ?? address), `refused${because(why)}`],
    'unknown relay': ({ relay, why }) => ['link', text(relay), `cannot be found${because(why)}`],
    'some links are not made': ({ missing }) => [
      'link',
      texts(missing),
      'not linked in time: doors open without',
    ],
    'name taken': ({ why }) => ['link', 'nats', text(why)],
    'nats connected': () => ['link', 'nats', 'up'],
    'nats disconnected': ({ why, unconfirmed }) => [
      'link',
      'nats',
      `down${because(why)}${some(unconfirmed, 'unconfirmed')}`,
    ],
    'nats not connected': ({ why }) => ['link', 'nats', `cannot be linked${because(why)}`],
    'nats trouble': ({ why }) => ['link', 'nats', `trouble${because(why)}`],

    reloaded: ({ by, applied, reread, needsRestart }) => [
      'reload',
      text(by ?? '-'),
      new OwnWords(
        [listed('applied', applied), listed('read anew', reread), listed('needs a restart', needsRestart)]
          .filter((part) => part !== '')
          .join('; ') || 'nothing has changed',
      ),
    ],
    'not reloaded': ({ by, errors }) => [
      'reload',
      text(by ?? '-'),
      new OwnWords(
        `refused: ${list(errors)
          .map((error) => (typeof error === 'string' ? redactText(error) : String(error)))
          .join('; ')}`,
      ),
    ],
    'certificate read': ({ door }) => ['reload', `door ${text(door)}`, 'a new certificate'],
    'the certificate stays the old one': ({ door }) => [
      'reload',
      `door ${text(door)}`,
      'the certificate stays the old one: the new one cannot be used',
    ],

    'event loop was stalled': ({ stalledForMs }) => [
      'trouble',
      'event loop',
      `stood still for ${text(stalledForMs)} ms`,
    ],
    'connections are closed: the limit on open files is reached': ({ door }) => [
      'trouble',
      `door ${text(door)}`,
      'connections are closed: the limit on open files is reached',
    ],
  }),
);

const RELAY = 'relay';

function text(value: unknown): string {
  return String(value ?? '-');
}

function because(why: unknown): string {
  return why === undefined || why === null ? '' : `: ${String(why)}`;
}

function some(count: unknown, what: string): string {
  return typeof count === 'number' && count > 0 ? `, ${count} ${what}` : '';
}

function list(values: unknown): readonly unknown[] {
  return Array.isArray(values) ? values : [];
}

function texts(values: unknown): string {
  return list(values).map(String).join(', ') || '-';
}

function listed(name: string, values: unknown): string {
  return list(values).length === 0 ? '' : `${name}: ${texts(values)}`;
}
