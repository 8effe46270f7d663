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
  const address = location.href.replace(/^http/, 'ws').replace(/#.*/, '');

  let socket = null, openedAt = 0, delay = firstDelay, retryTimer, answerTimer;

  function say(what, text) {
    state.dataset.state = what;
    state.textContent = text;
    button.disabled = what !== 'open';
  }

  function connect() {
    clearTimeout(retryTimer);
    say('waiting', 'Connecting…');
    const mine = new WebSocket(address);
    socket = mine;
    mine.onopen = () => {
      if (mine !== socket) return;
      openedAt = Date.now();
      say('open', 'Connected');
    };
    mine.onmessage = ({ data }) => {
      if (mine !== socket) return;
      clearTimeout(answerTimer);
      if (data !== '') add(data);
    };
    mine.onclose = ({ code, reason }) => {
      if (mine === socket) lost(reason === '' ? 'code ' + code : code + ' ' + reason);
    };
  }

  function lost(why) {
    const old = socket;
    socket = null;
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
  setInterval(() => {
    if (!isOpen()) return;
    socket.send('');
    clearTimeout(answerTimer);
    answerTimer = setTimeout(() => lost('no answer'), answerWithin);
  }, keepaliveEvery);
  addEventListener('offline', () => { if (socket !== null) lost('offline'); });
  addEventListener('online', () => { if (socket === null) connect(); });

  function add(text) {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const item = document.createElement('li');
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
