import test from 'ava';
import fc from 'fast-check';
import { closeFrame, pingFrame, textFrame, websocketFrames } from '../../src/door/frame.ts';
import { parseFrames as parse } from './parse-frames.ts';

for (const length of [0, 1, 125, 126, 127, 65535, 65536, 70000]) {
  test(`a payload of ${length} bytes comes back`, (t) => {
    const payload = Buffer.alloc(length, 'x');
    const both = Buffer.concat([websocketFrames([{ opcode: 2, payload }]), textFrame('x'.repeat(length))]);
    const frames = parse(both);
    t.deepEqual(
      frames.map(({ opcode }) => opcode),
      [2, 1],
    );
    t.true(frames.every((frame) => frame.payload.equals(payload)));
  });
}

test('headers have the shortest length', (t) => {
  const size = (length: number) => textFrame('x'.repeat(length)).length - length;
  t.deepEqual([0, 125, 126, 65535, 65536].map(size), [2, 2, 4, 4, 10]);
});

test('several parts come back in their order', (t) => {
  const part = fc.record({
    opcode: fc.constantFrom(1 as const, 2 as const),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(125, 126, 65535, 65536).map((length) => Buffer.alloc(length, 7)),
    ),
  });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const frames = parse(websocketFrames(parts));
      t.is(frames.length, parts.length);
      for (const [index, { opcode, payload }] of parts.entries()) {
        t.is(frames[index]?.opcode, opcode);
        t.true(frames[index]?.payload.equals(payload));
      }
    }),
  );
});

test('no parts are no bytes', (t) => {
  t.is(websocketFrames([]).length, 0);
});

test('a frame is a copy of its payload', (t) => {
  const payload = Buffer.from('abc');
  const bytes = websocketFrames([{ opcode: 1, payload }]);
  payload.fill(0);
  t.is(parse(bytes)[0]?.payload.toString(), 'abc');
});

test('a text frame holds UTF-8', (t) => {
  t.is(parse(textFrame('é😀'))[0]?.payload.toString(), 'é😀');
});

test('a close frame holds its code and reason', (t) => {
  const [frame] = parse(closeFrame(1008, 'forbidden'));
  t.is(frame?.opcode, 8);
  t.is(frame?.payload.readUInt16BE(0), 1008);
  t.is(frame?.payload.toString('utf8', 2), 'forbidden');
});

test('a close frame without a reason has two bytes', (t) => {
  t.is(parse(closeFrame(1000, ''))[0]?.payload.length, 2);
});

test('a reason of 123 bytes is whole, and one of 124 is cut', (t) => {
  t.is(parse(closeFrame(1000, 'r'.repeat(123)))[0]?.payload.toString('utf8', 2), 'r'.repeat(123));
  t.is(parse(closeFrame(1000, 'r'.repeat(124)))[0]?.payload.toString('utf8', 2), 'r'.repeat(123));
});

test('a reason is cut between two characters', (t) => {
  for (const [reason, kept] of [
    [`${'r'.repeat(122)}é`, 'r'.repeat(122)],
    [`${'r'.repeat(120)}😀`, 'r'.repeat(120)],
    [`${'r'.repeat(119)}😀`, `${'r'.repeat(119)}😀`],
  ] as const) {
    t.is(parse(closeFrame(1000, reason))[0]?.payload.toString('utf8', 2), kept);
  }
});

test('a ping frame carries its payload, or nothing', (t) => {
  t.deepEqual(parse(pingFrame()), [{ opcode: 9, payload: Buffer.alloc(0) }]);
  t.deepEqual(parse(pingFrame(Buffer.alloc(125, 1))), [{ opcode: 9, payload: Buffer.alloc(125, 1) }]);
});
