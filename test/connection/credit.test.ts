import test from 'ava';
import { CREDIT_BYTES, Credit } from '../../src/connection/credit.ts';
import { costOf } from '../../src/topic/message.ts';

const MESSAGE_COST = costOf(0);

test('credit is used up with its last byte, not before', (t) => {
  const credit = new Credit();
  credit.take(CREDIT_BYTES - MESSAGE_COST - 1);
  t.false(credit.exhausted);
  const other = new Credit();
  other.take(CREDIT_BYTES - MESSAGE_COST);
  t.true(other.exhausted);
});

test('a flood of empty messages uses it up as well', (t) => {
  const credit = new Credit();
  for (let i = 1; i < CREDIT_BYTES / MESSAGE_COST; i++) credit.take(0);
  t.false(credit.exhausted);
  t.is(credit.take(0), MESSAGE_COST);
  t.true(credit.exhausted);
});

test('what is given back can be used again, and never makes more than there was', (t) => {
  const credit = new Credit();
  const cost = credit.take(CREDIT_BYTES);
  t.true(credit.exhausted);
  credit.giveBack(cost);
  credit.giveBack(cost);
  t.false(credit.exhausted);
  credit.take(CREDIT_BYTES - MESSAGE_COST);
  t.true(credit.exhausted);
});
