import test from 'ava';
import fc from 'fast-check';
import { CREDIT_BYTES, Intake, type Question, type Received } from '../../src/connection/intake.ts';
import { costOf } from '../../src/topic/message.ts';

const JOIN: Question = { type: 'join', topic: 't', as: 't' };
const FAREWELL: Received = { type: 'farewell', end: { type: 'left', code: 1000 } };
const RATE = 10;
const MESSAGE_COST = costOf(0);

function text(payload: string): Received {
  return { type: 'text', payload: Buffer.from(payload) };
}

function timer() {
  const seen = { cancelled: false, cancel: () => (seen.cancelled = true) };
  return seen;
}

test('what is sent behind a question waits for its answer, in its order', (t) => {
  const intake = new Intake();
  t.is(intake.receive(text('a')), 'handle');
  intake.ask(JOIN);
  t.is(intake.turn(false), 'same', 'a client may wait for the answer without being held back');
  const sent = [text('b'), text('c')];
  for (const each of sent) t.is(intake.receive(each), 'queued');
  t.is(intake.turn(false), 'pause');
  t.is(intake.next(), undefined);
  intake.conclude();
  t.deepEqual([intake.next(), intake.next(), intake.next()], [...sent, undefined]);
  t.is(intake.turn(false), 'resume');
});

test('the timer of a question ends with it, however it ends', (t) => {
  for (const end of ['conclude', 'close', 'finish'] as const) {
    const [intake, asked] = [new Intake(), timer()];
    intake.ask(JOIN, asked);
    if (end === 'finish') intake.finish([], { type: 'drained' });
    else intake[end]();
    t.true(asked.cancelled, end);
    t.is(intake.question, undefined);
  }
  const [over, late] = [new Intake(), timer()];
  over.close();
  over.ask(JOIN, late);
  t.true(late.cancelled);
});

test('a client without credit is not read from until some has come back', (t) => {
  const intake = new Intake();
  const cost = intake.spend(CREDIT_BYTES - MESSAGE_COST);
  t.is(intake.turn(false), 'pause');
  t.false(intake.whole);
  intake.giveBack(cost);
  t.is(intake.turn(false), 'resume');
  t.true(intake.whole);
});

test('the body of a request waits for the answer about its credential, a client of a socket does not', (t) => {
  for (const question of [
    { type: 'authorise', ref: 1 },
    { type: 'introduce', ref: 1, first: null },
  ] as const) {
    const intake = new Intake();
    intake.ask(question);
    t.is(intake.turn(false), 'same');
    t.is(intake.turn(true), 'pause');
    intake.conclude();
    t.is(intake.turn(true), 'resume');
  }
});

test('past the rate the next message waits; another rate, or none, is heeded at once', (t) => {
  const intake = new Intake();
  for (let i = 1; i < RATE; i++) t.is(intake.throttle(RATE, 0), 0);
  t.is(intake.throttle(RATE, 0), 100);
  t.is(intake.receive(text('a')), 'queued');
  t.is(intake.next(), undefined);
  t.is(intake.relax(RATE * 2, 0), 50);
  t.is(intake.relax(0, 0), 0);
  t.deepEqual(intake.next(), text('a'));
});

test('a farewell that waits ends the connection when its time is over', (t) => {
  const intake = new Intake();
  t.is(intake.expire(), undefined);
  intake.ask(JOIN);
  intake.receive(FAREWELL);
  t.deepEqual(intake.expire(), { words: [], end: { type: 'left', code: 1000 } });
  t.is(intake.expire(), undefined, 'once');
});

test('questions of one connection have different numbers', (t) => {
  const intake = new Intake();
  t.is(new Set([intake.nextRef(), intake.nextRef(), intake.nextRef()]).size, 3);
});

const event = fc.oneof(
  fc.record({ do: fc.constantFrom('message' as const, 'farewell' as const, 'time over' as const) }),
  fc.record({ do: fc.constantFrom('ask' as const, 'answer' as const, 'stale answer' as const) }),
  fc.record({ do: fc.constantFrom('publish' as const, 'credit' as const, 'second' as const) }),
  fc.record({ do: fc.constantFrom('finish' as const, 'close' as const) }),
);

/** As the handler uses it; what has been handled is compared with what was sent. */
class Used {
  readonly intake = new Intake();
  readonly sent: Received[] = [];
  readonly handled: Received[] = [];
  readonly answered: Question[] = [];
  readonly asked: Question[] = [];
  readonly spent: number[] = [];
  now = 0;
  ends = 0;
  over = false;
  /** By the rate. */
  held = false;

  handle(message: Received): void {
    if (this.intake.question !== undefined) throw new Error('handled while a question was open');
    if (this.over) throw new Error('handled after the end');
    this.handled.push(message);
    if (message.type === 'farewell') this.end();
  }

  end(): void {
    this.over = true;
    this.ends++;
    this.intake.close();
  }

  goOn(): void {
    for (let next = this.intake.next(); next !== undefined; next = this.intake.next()) this.handle(next);
  }

  happen(what: Parameters<Parameters<typeof event.map>[0]>[0]['do']): void {
    const { intake } = this;
    switch (what) {
      case 'message':
      case 'farewell': {
        const message = what === 'message' ? text(String(this.sent.length)) : FAREWELL;
        const verdict = intake.receive(message);
        if ((verdict === 'dropped') !== this.over) throw new Error('dropped before the end, or not after it');
        if (verdict !== 'dropped') this.sent.push(message);
        if (verdict === 'handle') this.handle(message);
        return;
      }
      case 'ask':
        if (intake.question !== undefined || this.over) return;
        this.asked.push({ ...JOIN });
        intake.ask(this.asked.at(-1) as Question);
        return;
      case 'answer': {
        const { question } = intake;
        if (question === undefined) return;
        this.answered.push(question);
        intake.conclude();
        this.goOn();
        return;
      }
      case 'stale answer':
        if (this.answered.some((one) => one === intake.question)) throw new Error('open after its answer');
        return;
      case 'publish':
        if (this.over) return;
        this.spent.push(intake.spend(CREDIT_BYTES / 2));
        this.held = intake.throttle(RATE, this.now) > 0;
        return;
      case 'credit':
        intake.giveBack(this.spent.pop() ?? 0);
        if (intake.finishing !== undefined && intake.whole && intake.expire() !== undefined) this.ends++;
        return;
      case 'second':
        this.now += 1000;
        this.held = intake.relax(RATE, this.now) > 0;
        this.goOn();
        return;
      case 'time over':
        if (intake.expire() === undefined) return;
        this.over = true;
        this.ends++;
        return;
      case 'finish':
        if (this.over) return;
        intake.finish([], { type: 'drained' });
        this.over = true;
        return;
      case 'close':
        if (!intake.isOver) this.end();
        return;
    }
  }

  /** Everything is answered and given back in the end. */
  wind(): void {
    while (this.spent.length > 0) this.happen('credit');
    this.happen('answer');
    this.happen('second');
    if (this.intake.finishing !== undefined) this.happen('time over');
  }
}

test('no message is lost or handled twice in any state, none overtakes another, and the end comes once', (t) => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const used = new Used();
      for (const each of events) {
        used.happen(each.do);
        if (used.handled.some((message, index) => message !== used.sent[index])) return false;
        used.intake.turn(false);
        const { intake, spent } = used;
        if (!used.over && intake.paused !== (intake.exhausted || intake.waiting > 0 || used.held))
          return false;
        if (intake.whole !== (spent.length === 0)) return false;
      }
      used.wind();
      if (!used.over) return used.handled.length === used.sent.length && used.ends === 0;
      return used.ends === 1 && used.answered.length <= used.asked.length;
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

test('credit is used up with its last byte, not before', (t) => {
  const intake = new Intake();
  intake.spend(CREDIT_BYTES - MESSAGE_COST - 1);
  t.false(intake.exhausted);
  const other = new Intake();
  other.spend(CREDIT_BYTES - MESSAGE_COST);
  t.true(other.exhausted);
});

test('a flood of empty messages uses it up as well', (t) => {
  const intake = new Intake();
  for (let i = 1; i < CREDIT_BYTES / MESSAGE_COST; i++) intake.spend(0);
  t.false(intake.exhausted);
  t.is(intake.spend(0), MESSAGE_COST);
  t.is(intake.published, CREDIT_BYTES / MESSAGE_COST);
  t.true(intake.exhausted);
});

test('what is given back can be used again, and never makes more than there was', (t) => {
  const intake = new Intake();
  const cost = intake.spend(CREDIT_BYTES);
  t.true(intake.exhausted);
  intake.giveBack(cost);
  intake.giveBack(cost);
  t.false(intake.exhausted);
  intake.spend(CREDIT_BYTES - MESSAGE_COST);
  t.true(intake.exhausted);
});
