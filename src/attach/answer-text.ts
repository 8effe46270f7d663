import { inspect } from 'node:util';
import { type OwnWords, redacting, redactText } from '../secret/redaction.ts';
import { Refusal } from '../view/relay-view.ts';
import type { Style } from './protocol.ts';
import { bounded, safeBlock, safeJson, safeLine } from './text.ts';

/** An operation, which shows its data as lines for people. */
interface Shown {
  readonly show: (data: unknown, width: number) => string | OwnWords;
}

/** The value that a command has come to as text: bounded, and safe for a terminal. */
export function answerText(
  value: unknown,
  operation: Shown | undefined,
  style: Style,
  width = Number.POSITIVE_INFINITY,
): string {
  if (style === 'json') return jsonOf(value);
  if (operation === undefined && typeof value === 'string' && style === 'shell')
    return bounded(safeBlock(redactText(value)));
  const text =
    operation === undefined
      ? inspected(value, { colors: style === 'colours', breakLength: 100, compact: 3 })
      : operation.show(value, width);
  return bounded(safeBlock(typeof text === 'string' ? redactText(text) : String(text)));
}

/** An error for the operator: the message of a refusal, of other errors the operator's own part of the stack. */
export function errorText(error: unknown, style: Style): string {
  if (error instanceof Refusal) return safeBlock(redactText(error.message));
  const text = redactText(isError(error) ? ownStack(error) : inspected(error, {}));
  return style === 'lines' || style === 'colours'
    ? bounded(safeBlock(`Uncaught ${text}`), 30)
    : safeLine(`Uncaught ${text.split('\n', 1)[0]}`);
}

function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'stack' in value && 'message' in value;
}

/** The frames up to the evaluator: the rest is the relay's own. */
function ownStack({ name, message, stack }: Error): string {
  if (typeof stack !== 'string') return `${name}: ${message}`;
  // Node puts the source line before the stack of an uncaught error.
  const from = Math.max(0, stack.indexOf(`${name}: ${message}`));
  const lines = stack.slice(from).split('\n');
  const end = lines.findIndex((line) => /^\s+at .*(evaluator\.[jt]s|node:vm)/.test(line));
  return (end < 0 ? lines : lines.slice(0, end)).join('\n');
}

function inspected(value: unknown, options: Parameters<typeof inspect>[1]): string {
  try {
    return inspect(value, { depth: 3, maxArrayLength: 100, maxStringLength: 10_000, ...options });
  } catch {
    return '[what cannot be shown]';
  }
}

function jsonOf(value: unknown): string {
  try {
    return safeJson(JSON.stringify(value, plain) ?? 'null');
  } catch {
    return safeJson(JSON.stringify(redactText(inspected(value, { breakLength: Number.POSITIVE_INFINITY }))));
  }
}

function plain(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return redacting(key, value instanceof Map || value instanceof Set ? [...value] : value);
}
