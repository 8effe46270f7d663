/**
 * The page's script, for a browser. It takes everything from the page's address, so that it is one text for every path
 * and can be let in by its hash. Without `</`, which would end the element that holds it.
 */
export const pageScript = `
'use strict';
(() => {
  const keptMessages = 500;
  const firstDelay = 500, lastDelay = 4000; // milliseconds, as those below
  const stableAfter = 5000, keepaliveEvery = 25000, answerWithin = 10000;

  const byId = (id) => document.getElementById(id);
  const state = byId('state'), list = byId('messages'), hint = byId('empty');
  const form = byId('form'), field = byId('text'), button = byId('send');
  const address = new URL(location.href.replace(/^http/, 'ws').replace(/#.*/, ''));

  let socket = null, openedAt = 0, delay = firstDelay, retryTimer, answerTimer;
  // The position of the last message, where messages are kept. Whether the relay has said what came before, and has to.
  let last = null, told = true;

  function say(what, text) {
    state.dataset.state = what;
    state.textContent = text;
    button.disabled = what !== 'open';
  }

  function connect() {
    clearTimeout(retryTimer);
    say('waiting', 'Connecting…');
    if (last !== null) address.searchParams.set('last_event_id', last);
    const mine = new WebSocket(address, ['pinghub.events', 'pinghub']);
    socket = mine;
    mine.onopen = () => {
      if (mine !== socket) return;
      openedAt = Date.now();
      say('open', 'Connected');
      probe();
    };
    mine.onmessage = ({ data }) => {
      if (mine !== socket) return;
      clearTimeout(answerTimer);
      hear(data === '' ? {} : mine.protocol === 'pinghub.events' ? JSON.parse(data) : { data });
    };
    mine.onclose = ({ code, reason }) => {
      if (mine === socket) lost(reason === '' ? 'code ' + code : code + ' ' + reason);
    };
  }

  // Where messages are kept, the relay begins with a position. The answer to the first probe comes behind it.
  function hear({ id, event, data }) {
    if (id !== undefined) {
      last = id;
      told = true;
    }
    if (!told && event !== 'missed') miss(null);
    told = true;
    if (event === 'missed') miss(data);
    else if (data !== undefined) add(data);
  }

  function miss(count) {
    if (count === null) add('Messages may have been missed.', 'missed');
    else if (count === 1) add('1 message was missed.', 'missed');
    else if (count > 1) add(count + ' messages were missed.', 'missed');
  }

  function lost(why) {
    const old = socket;
    socket = null;
    if (openedAt !== 0) told = false;
    clearTimeout(answerTimer);
    clearTimeout(retryTimer);
    if (old !== null) old.close();
    // A connection that is ended right after it opens is no success.
    if (openedAt !== 0 && Date.now() - openedAt >= stableAfter) delay = firstDelay;
    openedAt = 0;
    const wait = delay * (0.75 + Math.random() / 2);
    say('closed', 'Disconnected (' + why + '). Reconnecting in ' + (wait / 1000).toFixed(1) + ' s');
    delay = Math.min(delay * 2, lastDelay);
    retryTimer = setTimeout(connect, wait);
  }

  function isOpen() {
    return socket !== null && socket.readyState === 1;
  }

  // The relay answers an empty message with an empty one: a line that broke without a word is found this way.
  function probe() {
    if (!isOpen()) return;
    socket.send('');
    clearTimeout(answerTimer);
    answerTimer = setTimeout(() => lost('no answer'), answerWithin);
  }
  setInterval(probe, keepaliveEvery);

  // A page that comes to the front may have slept.
  function wake() {
    if (socket === null) connect();
    else probe();
  }
  addEventListener('offline', () => { if (socket !== null) lost('offline'); });
  addEventListener('online', wake);
  addEventListener('pageshow', ({ persisted }) => { if (persisted) wake(); });
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') wake(); });

  function add(text, kind) {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const item = document.createElement('li');
    if (kind !== undefined) item.className = kind;
    const time = document.createElement('time');
    const body = document.createElement('span');
    time.textContent = new Date().toLocaleTimeString();
    body.textContent = text;
    body.dir = 'auto';
    item.append(time, body);
    list.append(item);
    while (list.childElementCount > keptMessages) list.firstElementChild.remove();
    hint.hidden = true;
    if (atEnd) list.scrollTop = list.scrollHeight;
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!isOpen() || field.value === '') return;
    socket.send(field.value);
    field.value = '';
    field.focus();
  });
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!button.disabled) form.requestSubmit();
  });

  connect();
})();
`;
