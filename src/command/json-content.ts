import { FAILED, Failed } from './command.ts';

/** A number in JSON; texts are matched as well, so that none is looked for in them. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * A text as JSON. A number that JavaScript cannot hold would reach the subscribers as another one, or as null: it is refused.
 * Digits behind the point are rounded, as everywhere in JSON.
 * `place`: of the text, for what is wrong with it.
 */
export function jsonIn(text: string, place: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Failed(FAILED, `${place}: not JSON: ${(error as Error).message.slice(0, 200)}`);
  }
  for (const [token] of text.matchAll(TOKENS)) {
    if (!token.startsWith('"') && isChanged(token))
      throw new Failed(
        FAILED,
        `${place}: ${token} is beyond what a number of JavaScript holds; give it as a text`,
      );
  }
  return value;
}

/** Whether a number is too large, or is a whole one that would lose digits. */
function isChanged(token: string): boolean {
  const number = Number(token);
  if (!Number.isFinite(number)) return true;
  return /^-?\d+(\.0*)?$/.test(token) && !Number.isSafeInteger(number);
}
