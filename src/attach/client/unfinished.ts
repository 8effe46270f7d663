import { Script } from 'node:vm';

/** Whether what was typed is the beginning of something: more lines are to come. Nothing is run. */
export function isUnfinished(text: string): boolean {
  try {
    // As a script it may not await; what it awaits has the same place in it.
    new Script(text.replace(/\bfor\s+await\b/g, 'for').replace(/\bawait\b/g, 'void '));
    return false;
  } catch (error) {
    if (!(error instanceof SyntaxError)) return false;
    if (error.message === 'Unexpected end of input' || error.message === 'Unterminated template literal')
      return true;
    return error.message.startsWith('missing ) after argument list') && isAtEnd(error, text);
  }
}

/** V8 shows the line and puts a mark under the place. */
function isAtEnd({ stack = '' }: SyntaxError, text: string): boolean {
  const [, place] = /^[^\n]*:(\d+)\n/.exec(stack) ?? [];
  const lines = text.trimEnd().split('\n');
  const marked = /^( *)\^+$/m.exec(stack.split('\n').slice(2, 3).join('\n'));
  return (
    Number(place) >= lines.length &&
    marked !== null &&
    (marked[1]?.length ?? 0) >= (lines.at(-1) ?? '').trimEnd().length - 1
  );
}
