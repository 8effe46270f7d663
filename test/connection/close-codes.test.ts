import test from 'ava';
import { codeOfError } from '../../src/connection/close-codes.ts';

function errorOf(code?: string): Error {
  return Object.assign(new Error('fault'), code === undefined ? {} : { code });
}

for (const [code, expected] of [
  ['WS_ERR_INVALID_UTF8', 1007],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008],
  ['WS_ERR_EXPECTED_MASK', 1002],
  ['WS_ERR_INVALID_OPCODE', 1002],
  ['ECONNRESET', 1006],
] as const) {
  test(`${code} is logged as ${expected}`, (t) => {
    t.is(codeOfError(errorOf(code)), expected);
  });
}

test('an error without a code is a connection that broke', (t) => {
  t.is(codeOfError(errorOf()), 1006);
});
