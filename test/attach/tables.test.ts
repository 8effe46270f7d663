import test from 'ava';
import { answerText } from '../../src/attach/answer-text.ts';
import { operation } from '../../src/attach/operations.ts';
import { linksText, reloadText } from '../../src/attach/tables.ts';
import { OwnWords } from '../../src/secret/redaction.ts';
import type { LinkView, Reloaded } from '../../src/view/relay-view.ts';

const link: LinkView = {
  peer: 'relay-2',
  direction: 'in',
  state: 'up',
  address: '10.0.0.2:55001',
  why: null,
  roundTrip: 0.00042,
  lag: null,
  messages: 12_345,
  bytes: 2048,
  lost: 0,
  pending: 0,
  reconnects: 1,
};

test('links are aligned lines, and what is not known is a dash', (t) => {
  const lines = linksText([
    link,
    {
      ...link,
      direction: 'out',
      state: 'down',
      address: null,
      roundTrip: null,
      lag: 1.5,
      why: 'gone\u001b[31m',
    },
    { ...link, peer: 'relay-3', messages: null, bytes: null },
  ]).split('\n');
  t.regex(
    lines[0] ?? '',
    /^peer +way +state +address +round trip +lag +messages +bytes +lost +pending +again/,
  );
  t.regex(lines[1] ?? '', /^relay-2 +in +up +10\.0\.0\.2:55001 +0\.4ms +- +12 345 +2 KiB +0 +0 B +1/);
  t.regex(lines[2] ?? '', /^relay-2 +out +down +- +- +1500ms .* gone/);
  t.false(lines.join().includes('\u001b'));
  t.regex(lines[3] ?? '', /^relay-3 .* - +- +0 /);
});

const fault = 'relay.yaml:1:55 passwords[0]: a list of channel patterns';
const reloaded: Reloaded = {
  ok: false,
  errors: [new OwnWords(fault), 'door pusu: token: hunter2'],
  applied: [],
  reread: [],
  needsRestart: [],
};
const reload = operation<Reloaded>({
  usage: 'reload()',
  summary: '',
  run: () => reloaded,
  show: reloadText,
});

test('a fault of the configuration is told with what was expected, and what others say without secrets', (t) => {
  t.deepEqual(answerText(reloaded, reload, 'lines').split('\n'), [
    fault,
    'door pusu: token: [hidden]',
    'nothing was changed',
  ]);
  const { errors } = JSON.parse(answerText(reloaded, reload, 'json')) as Reloaded;
  t.deepEqual(errors, [fault, 'door pusu: token: [hidden]']);
});
