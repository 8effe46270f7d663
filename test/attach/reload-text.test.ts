import test from 'ava';
import { answerText } from '../../src/attach/answer-text.ts';
import { operation } from '../../src/attach/operations.ts';
import { reloadText } from '../../src/attach/tables.ts';
import { OwnWords } from '../../src/secret/redaction.ts';
import type { Reloaded } from '../../src/view/relay-view.ts';

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
