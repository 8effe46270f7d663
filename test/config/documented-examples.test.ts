import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { packageRoot } from '../support/relay-process.ts';
import { parse, warned } from './support.ts';

/** Parts of a file, which go into one that names its doors; all others are files of their own. */
const part = /^# Part of a file/;
/** Not ours. */
const foreign = /^scrape_configs:/;

const texts = ['README.md', ...readdirSync(join(packageRoot, 'doc')).map((name) => join('doc', name))].filter(
  (name) => name.endsWith('.md'),
);
const examples = texts.flatMap((name) =>
  [...readFileSync(join(packageRoot, name), 'utf8').matchAll(/^```yaml\n(.*?)^```/gms)].map(
    ([, text = ''], index) => ({ title: `example ${index + 1} of ${name}`, text }),
  ),
);

for (const { title, text } of examples.filter((one) => !foreign.test(one.text)))
  test(`${title} is a configuration that can be pasted, and closes no door without saying so`, (t) => {
    const result = parse(text);
    t.deepEqual(result.ok ? [] : result.errors, []);
    t.deepEqual(warned(text), []);
    if (!part.test(text)) t.regex(text, /^doors:/m);
  });

test('there are examples', (t) => {
  t.true(examples.length > 10);
});
