/**
 * The numbers that a relay tells the others of itself. What is null is not known: the relay could not tell, or is of a
 * release that does not tell it yet. Times of links and of the event loop in milliseconds, sizes in bytes.
 */
export interface Vitals {
  readonly version: string | null;
  /** `starting`, `ready`, `draining`, `shedding`. */
  readonly phase: string | null;
  /** Seconds. */
  readonly uptime: number | null;
  readonly connections: number | null;
  readonly topics: number | null;
  /** Messages of its own clients, not of links, and deliveries, in a second, lately. */
  readonly in: number | null;
  readonly out: number | null;
  /** Bytes that wait for clients. */
  readonly waiting: number | null;
  /** Clients that hold their topics back or do not read. */
  readonly slow: number | null;
  /** Deliveries dropped, and processes crashed, since the start. */
  readonly dropped: number | null;
  readonly crashed: number | null;
  /** The longest that a timer of the event loop was late in the last half minute. */
  readonly loopDelay: number | null;
  /** Parts of the time, from 0 on: of the event loop, and of one core. */
  readonly busy: number | null;
  readonly cpu: number | null;
  readonly rss: number | null;
  readonly heap: number | null;
  /** Links of any number, of which only so many are listed. */
  readonly linksUp: number | null;
  readonly linksDown: number | null;
  readonly links: readonly LinkVitals[];
}

/** How the relay that tells it gets on with another one. */
export interface LinkVitals {
  readonly peer: string;
  readonly up: boolean;
  readonly roundTrip: number | null;
  /** How far the other relay is behind with what it is sent. */
  readonly lag: number | null;
  readonly lost: number | null;
}

const WORDS = ['version', 'phase'] as const;
const NUMBERS = [
  'uptime',
  'connections',
  'topics',
  'in',
  'out',
  'waiting',
  'slow',
  'dropped',
  'crashed',
  'loopDelay',
  'busy',
  'cpu',
  'rss',
  'heap',
  'linksUp',
  'linksDown',
] as const;

/** Milliseconds between two tellings. */
export const VITALS_PERIOD = 2000;

/** Nothing is known. */
export const NO_VITALS: Vitals = {
  ...(Object.fromEntries([...WORDS, ...NUMBERS].map((key) => [key, null])) as Omit<Vitals, 'links'>),
  links: [],
};

/** Characters of the whole, of one text in it, and links that are listed. */
export const VITALS_LENGTH = 32 * 1024;
export const MOST_LINKS = 64;
const TEXT_LENGTH = 256;

/**
 * As relays tell it to each other: JSON, of which a reader takes what it knows. Numbers are within what is taken: for one
 * that is not, readers would refuse all of them, and show the relay as one that is not heard.
 */
export function vitalsText(vitals: Vitals): string {
  return JSON.stringify({ ...vitals, links: vitals.links.slice(0, MOST_LINKS) }, withinLimits);
}

function withinLimits(_key: string, value: unknown): unknown {
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  return isNumber ? Math.min(Math.max(0, value), Number.MAX_SAFE_INTEGER) : value;
}

/**
 * What another relay has told. What is missing is null, and what is not known here is left out, so that releases may
 * differ. Null: it is too long, or not of this form.
 */
export function vitalsIn(text: string): Vitals | null {
  const told = text.length > VITALS_LENGTH ? null : objectIn(text);
  if (told === null) return null;
  const links = linksIn(told['links']);
  const values: Record<string, unknown> = {};
  for (const key of WORDS) values[key] = wordIn(told[key]);
  for (const key of NUMBERS) values[key] = numberIn(told[key]);
  if (links === undefined || Object.values(values).includes(undefined)) return null;
  return { ...values, links } as unknown as Vitals;
}

type Json = Readonly<Record<string, unknown>>;

function objectIn(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Undefined: it is neither a text nor unknown. */
function wordIn(value: unknown): string | null | undefined {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' && value.length <= TEXT_LENGTH ? value : undefined;
}

/** Undefined: it is neither a number that can be counted with nor unknown. */
function numberIn(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return null;
  const isNumber = typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
  return isNumber ? value : undefined;
}

function linksIn(value: unknown): LinkVitals[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > MOST_LINKS) return undefined;
  const links: LinkVitals[] = [];
  for (const one of value as readonly unknown[]) {
    if (!isObject(one)) return undefined;
    const { up } = one;
    const peer = wordIn(one['peer']);
    const [roundTrip, lag, lost] = [one['roundTrip'], one['lag'], one['lost']].map(numberIn);
    if (typeof up !== 'boolean' || !peer) return undefined;
    if (roundTrip === undefined || lag === undefined || lost === undefined) return undefined;
    links.push({ peer, up, roundTrip, lag, lost });
  }
  return links;
}
