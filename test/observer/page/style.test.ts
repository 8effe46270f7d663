import test from 'ava';
import { style } from '../../../src/observer/page/style.ts';

/** The colours of a theme, by name: `#fff` and `#ffffff`. */
function colours(css: string): Map<string, string> {
  return new Map(
    [...css.matchAll(/--([a-z]+): (#[0-9a-f]{3,6})/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

/** The colours that a rule puts in the place of others: `--ink: var(--soft)`. */
function replaced(theme: ReadonlyMap<string, string>, css: string): Map<string, string> {
  const changes = [...css.matchAll(/--([a-z]+): var\(--([a-z]+)\)/g)].map(
    ([, name = '', by = '']) => [name, theme.get(by) ?? ''] as const,
  );
  return new Map([...theme, ...changes]);
}

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const hex =
    colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit).join('') : colour.slice(1);
  const [red = 0, green = 0, blue = 0] = [0, 2, 4]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].toSorted((one, other) => one - other);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ['page', 'card', 'hover', 'chosen'];
const TEXTS = ['ink', 'soft', 'faint', 'accent', 'second', 'good', 'warn', 'bad'];

const [lightRules = '', darkRules = ''] =
  /^:root \{[^}]*\}\n@media \(prefers-color-scheme: dark\) \{[^}]*\}/m.exec(style)?.[0].split('@media') ?? [];
const lost = [...style.matchAll(/body\.lost[^{]*\{[^}]*\}/g)].join('\n');

for (const [name, theme] of [
  ['light', colours(lightRules)],
  ['dark', colours(darkRules)],
] as const) {
  for (const [state, shown] of [
    ['live', theme],
    ['lost', replaced(theme, lost)],
  ] as const) {
    test(`texts have a contrast of 4.5 to 1 on every ground, ${name} and ${state}`, (t) => {
      for (const text of TEXTS)
        for (const ground of GROUNDS) {
          const [one, other] = [shown.get(text), shown.get(ground)];
          if (one === undefined || other === undefined) return t.fail(`no colour ${text} or ${ground}`);
          const ratio = contrast(one, other);
          t.true(ratio >= 4.5, `${text} on ${ground}: ${ratio.toFixed(2)}`);
        }
    });

    test(`lines of controls have a contrast of 3 to 1 on every ground, ${name} and ${state}`, (t) => {
      for (const ground of GROUNDS) {
        const ratio = contrast(shown.get('edge') ?? '#fff', shown.get(ground) ?? '#fff');
        t.true(ratio >= 3, `edge on ${ground}: ${ratio.toFixed(2)}`);
      }
    });
  }
}

test('texts are in colours whose contrast is counted, and nothing is made paler by opacity', (t) => {
  for (const [, name = ''] of style.matchAll(/[{; ]color: var\(--([a-z]+)\)/g))
    t.true(TEXTS.includes(name), name);
  t.deepEqual(
    [...style.matchAll(/opacity: ([.\d]+)/g)].map(([, value]) => value),
    ['1'],
  );
});
