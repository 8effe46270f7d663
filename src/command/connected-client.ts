import { type Client, connect, FanfareError, type Options, type TokenReason } from '#client';
import { redactText } from '../secret/redaction.ts';
import { FAILED, Failed, NOT_YET, type Place, REFUSED } from './command.ts';
import { credentialOf, type Reach } from './reach.ts';

/** A client that is connected. */
export interface Reached {
  readonly client: Client;
  /** Rejected when the relay has refused the client for good, or was out of reach for too long. */
  readonly lost: Promise<never>;
  close(): Promise<void>;
}

interface Patience {
  /** Milliseconds that the relay may be away, once it was reached. Infinity: it is waited for. */
  readonly outage: number;
  readonly offline: NonNullable<Options['offline']>;
}

/** Settles when the relay has let the client in. */
export async function connectTo(
  reach: Reach,
  place: Pick<Place, 'env' | 'err'>,
  { outage, offline }: Patience,
): Promise<Reached> {
  const first = credentialOf(reach, place);
  const client = connect(reach.url, {
    offline,
    ...(first === null ? {} : { token: renewing(reach, place, first) }),
  });
  let lose: (failed: Failed) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    lose = reject;
  });
  // A command that has ended hears of it no more.
  lost.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  let why = '';
  let isIn = false;
  let isAway = false;
  const within = (time: number) => {
    if (timer !== undefined || time === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(() => lose(outOfReach(reach.url, time, why)), time);
  };
  const opened = new Promise<void>((resolve) => {
    client.on('state', (state, error) => {
      why = error?.message.trim() ?? why;
      if (state === 'open') {
        clearTimeout(timer);
        timer = undefined;
        if (isAway) place.err('connected again');
        isIn = true;
        isAway = false;
        resolve();
      } else if (state === 'closed') {
        clearTimeout(timer);
        if (error !== undefined) lose(failureOf(error, reach.url));
      } else if (state === 'waiting' && isIn && !isAway) {
        isAway = true;
        place.err(`the connection is lost (${why}); trying again`);
        within(outage);
      }
    });
  });
  const close = () => {
    clearTimeout(timer);
    return client.close();
  };
  within(reach.timeout);
  try {
    await Promise.race([opened, lost]);
  } catch (error) {
    await close();
    throw error;
  }
  return { client, lost, close };
}

/** A credential that was refused is read once more: it may have been renewed since. The same again is of no use. */
function renewing(reach: Reach, place: Pick<Place, 'env'>, first: string) {
  let last = first;
  return (why: TokenReason): string | null => {
    if (why === 'first') return last;
    const next = credentialOf(reach, place);
    if (why === 'refused' && next === last) return null;
    last = next ?? last;
    return next;
  };
}

function outOfReach(url: string, time: number, why: string): Failed {
  return new Failed(
    NOT_YET,
    `${shown(url)} was out of reach for ${time / 1000} s${why === '' ? '' : `: ${why}`}`,
  );
}

/** The end of a command that the relay has answered with no. */
export function failureOf(error: unknown, about: string): Failed {
  if (error instanceof Failed) return error;
  if (!(error instanceof FanfareError)) throw error;
  const code = error.why === 'permission_denied' || error.why === 'unauthorized' ? REFUSED : FAILED;
  return new Failed(code, `${shown(about)}: ${error.message}`);
}

/** An address may hold a password. */
function shown(text: string): string {
  return redactText(text);
}
