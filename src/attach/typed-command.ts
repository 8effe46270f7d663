import { parse } from 'yaml';
import { Refusal } from '../view/node-view.ts';

/** An operation as it is typed where nothing is evaluated. */
export interface TypedCommand {
  readonly name: string;
  readonly args: readonly unknown[];
}

/**
 * `topics`, `members topic:main:chat`, `kill(<88>, {force: true})`: a name and arguments, which are YAML in its flow
 * style, so that quotes may be left out. Nothing in it is run.
 */
export function typedCommand(text: string): TypedCommand {
  const [, name, inBrackets, behind] =
    /^\s*([a-z_]+(?:\.[a-z_]+)?)\s*(?:\(([\s\S]*)\)\s*;?|(?:\s([\s\S]*))?)\s*$/.exec(text) ?? [];
  if (name === undefined) throw new Refusal('a name and its arguments, such as: members topic:main:chat');
  const list = inBrackets ?? behind?.trim() ?? '';
  try {
    const args: unknown = parse(`[${list}]`, { maxAliasCount: 0 });
    if (Array.isArray(args)) return { name, args };
  } catch {
    // Said below, with everything else that is no list.
  }
  throw new Refusal('arguments are separated by commas, options in braces: {by: members, n: 10}');
}
