import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Ring } from '../../../src/topic/history/ring.ts';
import { packageRoot } from '../../support/relay-process.ts';

const TOPICS = 200;
const number = (text = '') => Number(text.replaceAll(',', ''));

/** Bytes of memory for a topic, on average over topics that have been published to for a while. */
function memoryOf(messages: number, size: number): number {
  let memory = 0;
  const meter = {
    allocated(bytes: number): void {
      memory += bytes;
    },
    kept: () => undefined,
    letGo: () => undefined,
  };
  const payload = Buffer.alloc(size, 'x');
  for (let topic = 0; topic < TOPICS; topic++) {
    const ring = new Ring({ messages, bytes: 2 ** 30, age: 1 }, meter);
    const published = 2 * messages + Math.round((topic / TOPICS) * messages);
    for (let message = 0; message < published; message++) ring.append({ kind: 'text', payload }, 0);
  }
  return memory / TOPICS;
}

test('doc/recovery.md says how much memory a topic takes', (t) => {
  const text = readFileSync(join(packageRoot, 'doc', 'recovery.md'), 'utf8');
  const rows = [...text.matchAll(/^\| ([\d,]+) messages of ([\d,]+) bytes \| ([\d,]+) kB \|$/gm)];
  t.true(rows.length > 3);
  for (const [row, messages, size, said] of rows) {
    const ratio = memoryOf(number(messages), number(size)) / (number(said) * 1000);
    t.true(ratio > 0.9 && ratio < 1.1, `${row}: ${ratio}`);
  }
});
