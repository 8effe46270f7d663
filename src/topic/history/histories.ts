import type { GapReason } from '../gap.ts';
import type { TopicKey } from '../message.ts';
import { Line, type LineKeeper, type Replay } from './line.ts';
import { Replays } from './replays.ts';
import { type Bound, type Bounds, type Meter, Ring } from './ring.ts';

export interface HistorySettings {
  /** What is kept of topics of that name; null: nothing is. */
  readonly rule: ((name: string) => Bounds | null) | null;
  /** Bytes of memory that all histories may take. */
  readonly total: number;
  /** Bytes that one resume may replay. */
  readonly resume: number;
}

/** For a relay, or a test, where nothing is kept. */
export const noHistory: HistorySettings = { rule: null, total: 0, resume: 0 };

/**
 * What has come of those who asked for the past. recovered: all of it was sent, or nothing was missed. missed: a number of
 * messages is missing. unknown: nobody can know how many. kept: all that is kept was asked for, or the newest message.
 */
export type ResumeOutcome = 'recovered' | 'missed' | 'unknown' | 'kept';

/** What a line costs that no topic has, beside its name and its ring. */
const LINE_COST = 256;
/** Lines that are looked at in one turn for messages that are too old. */
const SWEPT = 20_000;

/**
 * The lines of all topics that keep messages, which outlive the topics. When they take more memory than they may, those
 * that were published to longest ago lose their oldest messages first, and then what is known of them, but for live
 * topics.
 */
export class Histories implements Meter, LineKeeper {
  readonly resumeLimit: number;
  readonly replays = new Replays();
  readonly #settings: HistorySettings;
  readonly #realms = new Map<string, Map<string, Line>>();
  /** Lines that have something to lose, those first that were used longest ago. */
  readonly #order = new Set<Line>();
  /** The line that was used last. */
  #newest: Line | null = null;
  #sweep: Iterator<Line> | null = null;
  #lines = 0;
  #memory = 0;
  #messages = 0;
  #replayed = 0;
  #missed = 0;
  readonly #evicted = { messages: 0, bytes: 0, age: 0, total: 0 };
  readonly #resumed = { recovered: 0, missed: 0, unknown: 0, kept: 0 };

  constructor(settings: HistorySettings = noHistory) {
    this.#settings = settings;
    this.resumeLimit = settings.resume;
  }

  /** Whether messages of any topics are kept. */
  get isOn(): boolean {
    return this.#settings.rule !== null;
  }

  /** Whether messages of topics of that name are kept. */
  keeps(name: string): boolean {
    const { rule } = this.#settings;
    return rule !== null && rule(name) !== null;
  }

  /** The line of a topic whose messages are kept, for as long as it is live; null: they are not. */
  open(key: TopicKey): Line | null {
    const found = this.find(key.realm, key.name);
    if (found !== undefined) return found;
    const bounds = this.#settings.rule?.(key.name) ?? null;
    if (bounds === null) return null;
    const line = new Line(key, new Ring(bounds, this), this);
    let names = this.#realms.get(key.realm);
    if (names === undefined) {
      names = new Map();
      this.#realms.set(key.realm, names);
    }
    names.set(key.name, line);
    this.#lines++;
    this.#memory += costOf(line);
    this.#renew(line);
    return line;
  }

  find(realm: string, name: string): Line | undefined {
    return this.#realms.get(realm)?.get(name);
  }

  /** Every line, with what is kept. */
  *all(): Iterable<Line> {
    for (const names of this.#realms.values()) yield* names.values();
  }

  get lines(): number {
    return this.#lines;
  }

  /** Messages that are kept. */
  get messages(): number {
    return this.#messages;
  }

  /** Bytes of memory that they take, and the lines of topics that are not live. */
  get memory(): number {
    return this.#memory;
  }

  /** Messages that are kept no longer, by the bound that made them go. */
  get evicted(): Readonly<Record<Bound, number>> {
    return this.#evicted;
  }

  get resumed(): Readonly<Record<ResumeOutcome, number>> {
    return this.#resumed;
  }

  /** Messages that were sent, or are to be sent in portions, to those who asked for the past. */
  get replayed(): number {
    return this.#replayed;
  }

  /** Messages that were asked for and are not sent, where their number is known. */
  get missed(): number {
    return this.#missed;
  }

  /** Bytes of memory that all of it may take. */
  get total(): number {
    return this.#settings.total;
  }

  /** Counts what has come of a join with `since`. One that asks for nothing of the past is not counted. */
  answered({ resumption: { recovered, missed }, messages }: Replay, isKept: boolean): void {
    if (recovered === true) this.#resumed.recovered++;
    else if (recovered === false) this.#resumed[missed === null ? 'unknown' : 'missed']++;
    else if (isKept) this.#resumed.kept++;
    this.#replayed += messages;
    this.#missed += missed ?? 0;
  }

  allocated(bytes: number): void {
    this.#memory += bytes;
  }

  kept(messages: number): void {
    this.#messages += messages;
  }

  letGo(messages: number, bound: Bound): void {
    this.#messages -= messages;
    this.#evicted[bound] += messages;
  }

  served(line: Line): void {
    this.#memory -= costOf(line);
  }

  used(line: Line): void {
    if (this.#newest !== line) this.#renew(line);
    if (this.#memory > this.#settings.total) this.#shrink();
  }

  rested(line: Line): void {
    this.#memory += costOf(line);
    this.#renew(line);
    this.#shrink();
  }

  /** Nobody knows how many messages the topics have missed that are not live. */
  tearOff(which: (line: Line) => boolean, why: GapReason, now: number): void {
    for (const line of this.all()) if (!line.isLive && which(line)) line.tearOff(why, now);
  }

  /** Lets go of what is too old in some of the lines: called once a second or so, it comes to all of them in turn. */
  sweep(now: number): void {
    this.#sweep ??= this.all()[Symbol.iterator]();
    for (let i = 0; i < SWEPT; i++) {
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = null;
        return;
      }
      next.value.ring?.expire(now);
    }
  }

  #renew(line: Line): void {
    this.#order.delete(line);
    this.#order.add(line);
    this.#newest = line;
  }

  #shrink(): void {
    for (const line of this.#order) {
      while (this.#memory > this.#settings.total && line.ring?.shrink() === true);
      if (this.#memory <= this.#settings.total) return;
      this.#order.delete(line);
      if (this.#newest === line) this.#newest = null;
      if (!line.isLive) this.#forget(line);
    }
  }

  #forget(line: Line): void {
    const { realm, name } = line.key;
    const names = this.#realms.get(realm);
    names?.delete(name);
    if (names?.size === 0) this.#realms.delete(realm);
    this.#lines--;
    this.#memory -= costOf(line);
  }
}

function costOf({ key: { realm, name } }: Line): number {
  return LINE_COST + realm.length + name.length;
}
