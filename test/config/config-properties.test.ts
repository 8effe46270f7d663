import test from 'ava';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { formatError } from '../../src/config/config-error.ts';
import { keyPaths, relayKeys } from '../../src/config/keys.ts';
import type { Reader } from '../../src/config/section.ts';
import { accepted, parse } from './support.ts';

const time = fc
  .tuple(
    fc.integer({ min: 0, max: 500 }),
    fc.constantFrom<[string, number]>(['ms', 1], ['s', 1e3], ['m', 6e4], ['h', 36e5]),
  )
  .map(([number, [unit, factor]]) => ({ written: `${number}${unit}`, read: number * factor }));
const size = fc
  .tuple(
    fc.integer({ min: 66, max: 1000 }),
    fc.constantFrom<[string, number]>(['KiB', 1024], ['MiB', 1048576], ['kB', 1000]),
  )
  .map(([number, [unit, factor]]) => ({ written: `${number}${unit}`, read: number * factor }));
const as = <T>(arbitrary: fc.Arbitrary<T>) => arbitrary.map((value) => ({ written: value, read: value }));
const count = as(fc.nat({ max: 1_000_000_000 }));

/** Valid settings: the path as it is written, the way to it in the configuration, and a value both ways. */
const settings = {
  'limits.ping': { read: ['limits', 'ping'], value: time },
  'limits.write_stall': { read: ['limits', 'writeStall'], value: time },
  'limits.message_before_auth': { read: ['limits', 'messageBeforeAuth'], value: size },
  'limits.keep_alive': { read: ['limits', 'keepAlive'], value: time },
  'limits.pending': { read: ['limits', 'pending'], value: size },
  'limits.topics_per_connection': { read: ['limits', 'topicsPerConnection'], value: count },
  'limits.connections': { read: ['limits', 'connections'], value: as(fc.option(fc.nat({ max: 99_999 }))) },
  'log.level': { read: ['log', 'level'], value: as(fc.constantFrom('trace', 'error', 'silent')) },
  'log.file': {
    read: ['log', 'file'],
    value: as(
      fc.option(fc.string({ minLength: 1 }).filter((s) => !/^(~|null|Null|NULL|".*"|'.*')$|\0/.test(s))),
    ),
    isText: true,
  },
  'doors.pusu.port': { read: ['doors', 'pusu', 'port'], value: as(fc.integer({ min: 1, max: 999 })) },
  'doors.wspubsub.grace': { read: ['doors', 'wspubsub', 'grace'], value: time },
  'doors.pinghub.metrics_port': {
    read: ['doors', 'pinghub', 'metricsPort'],
    value: as(fc.option(fc.constant(0))),
  },
  'doors.pinghub.host': { read: ['doors', 'pinghub', 'host'], value: as(fc.oneof(fc.ipV4(), fc.ipV6())) },
  allowed_channels: {
    read: ['allowedChannels'],
    value: as(
      fc.option(fc.array(fc.string({ minLength: 1, unit: 'grapheme' }).filter((s) => !s.includes('*')))),
    ),
  },
  relays: {
    read: ['relays'],
    value: as(fc.array(fc.constantFrom('a', 'b.example:5', '[::1]:7', '10.0.0.1'))),
  },
};

function valueAt(root: unknown, path: readonly string[]): unknown {
  return path.reduce((value, key) => Object(value)[key], root);
}

function nested(entries: readonly (readonly [string, unknown])[]): object {
  const root = new Map<string, unknown>();
  for (const [path, value] of entries) {
    const keys = path.split('.');
    let map = root;
    for (const key of keys.slice(0, -1)) {
      const below = map.get(key);
      const next: Map<string, unknown> = below instanceof Map ? below : new Map();
      map.set(key, next);
      map = next;
    }
    map.set(keys.at(-1) ?? '', value);
  }
  return root;
}

const chosen = fc.record(
  Object.fromEntries(
    Object.entries(settings).map(([path, { value }]) => [
      path,
      value as fc.Arbitrary<{ written: unknown; read: unknown }>,
    ]),
  ),
  { requiredKeys: [] },
);

test('valid settings are read as they were meant, from a file and from flags', (t) => {
  fc.assert(
    fc.property(chosen, fc.constantFrom('PLAIN', 'QUOTE_DOUBLE'), fc.boolean(), (values, keyStyle, flow) => {
      const entries = Object.entries(values).flatMap(([path, value]) =>
        value ? [[path, value] as const] : [],
      );
      const text = stringify(nested(entries.map(([path, { written }]) => [path, written])), {
        defaultKeyType: keyStyle === 'PLAIN' ? 'PLAIN' : 'QUOTE_DOUBLE',
        collectionStyle: flow ? 'flow' : 'block',
      });
      const sets = entries.map(([path, { written }]) => {
        const isText = 'isText' in settings[path as keyof typeof settings];
        return `${path}=${isText ? written : JSON.stringify(written)}`;
      });
      for (const config of [accepted(text), accepted('', { sets })]) {
        for (const [path, { read }] of entries) {
          t.deepEqual(valueAt(config, settings[path as keyof typeof settings].read), read, path);
        }
      }
    }),
    { numRuns: 150 },
  );
});

const words = fc.constantFrom(
  ...[...keyPaths(relayKeys)].flat(),
  'true',
  'x',
  '5',
  '10s',
  '*',
  '&a',
  '*a',
  '<<',
  '!t',
  '"',
  "'",
  '|',
  '__proto__',
);
const junk = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: words },
      fc.constantFrom(
        ': ',
        '\n',
        '\n  ',
        '\n    ',
        '- ',
        '[',
        ']',
        '{',
        '}',
        ', ',
        '\t',
        '---\n',
        '? ',
        '#',
        '\uFEFF',
      ),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

test('junk never throws, and every error is one line with a place', (t) => {
  const source = fc.oneof(junk, fc.string({ unit: 'binary' }), fc.json());
  fc.assert(
    fc.property(source, source, (text, value) => {
      const env = { FANFARE_DOORS: value, FANFARE_PASSWORDS: value, [`FANFARE_${value}`]: text };
      const result = parse(text, { sets: [value, `doors=${value}`, `relays=${text}`], env });
      for (const error of result.ok ? [] : result.errors) {
        t.regex(formatError(error), /^.+:[1-9]\d*:[1-9]\d* .+: .+$/);
      }
    }),
    { numRuns: 400 },
  );
});

/** Any value for any key, valid YAML: the readers' turn to be surprised. */
function anything(reader: Reader<unknown>): fc.Arbitrary<unknown> {
  const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('10s', '5', '*', null, true, false));
  if (!reader.keys) return odd;
  const shape = Object.fromEntries([...reader.keys].map(([name, below]) => [name, anything(below)]));
  return fc.oneof({ weight: 5, arbitrary: fc.record(shape, { requiredKeys: [] }) }, odd);
}

test('any value for any key is read or refused, and never thrown at', (t) => {
  fc.assert(
    fc.property(anything(relayKeys), (value) => {
      const result = parse(stringify(value));
      t.true(result.ok || result.errors.length > 0);
    }),
    { numRuns: 300 },
  );
});
