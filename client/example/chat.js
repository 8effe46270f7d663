import { connect } from './client/browser.js';

const element = (id) => document.getElementById(id);
const [state, messages, name, text] = ['state', 'messages', 'name', 'text'].map(element);
const me = crypto.randomUUID();
name.value = `Guest ${me.slice(0, 3)}`;

/** Another way to the relay, such as `?relay=ws://…`, may be named; asked anew for each attempt. */
const relay = async () =>
  new URLSearchParams(location.search).get('relay') ?? (await (await fetch('/relay')).json());
const client = connect(relay, { offline: { queue: 65_536 } });

let wasOpen = false;
let isAway = false;
client.on('state', (now, error) => {
  if (now === 'open') wasOpen = true;
  else if (wasOpen) isAway = true;
  state.dataset.state = now;
  state.textContent = now === 'open' ? `connected, ${client.level}` : error ? `${now}: ${error.why}` : now;
});

/** What was sent here and has not come back yet, by its number. */
const pending = new Map();
let sent = 0;

client.subscribe('chat.lobby', { since: 'all' }).on((event) => {
  if (event.type === 'gap') {
    isAway = false;
    const many = event.missed === undefined ? 'Messages may be missing here' : `${event.missed} missing here`;
    note(`${many} (${event.why})`, 'gap');
    return;
  }
  if (isAway) {
    isAway = false;
    if (event.replayed) note('While you were away');
  }
  const { from, author, number, said } = event.content;
  if (from === me) {
    pending.get(number)?.remove();
    pending.delete(number);
  }
  show({ author, said, isMine: from === me });
});

document.forms[0].addEventListener('submit', (event) => {
  event.preventDefault();
  const said = text.value.trim();
  if (said === '') return;
  text.value = '';
  const number = ++sent;
  const line = show({ author: name.value, said, isMine: true });
  line.classList.add('pending');
  pending.set(number, line);
  client.publish('chat.lobby', { from: me, author: name.value, number, said }).catch(() => {
    if (pending.has(number)) line.classList.replace('pending', 'failed');
  });
});

function show({ author, said, isMine }) {
  const line = document.createElement('li');
  const by = document.createElement('b');
  by.textContent = author;
  by.style.color = `hsl(${[...author].reduce((sum, letter) => sum * 31 + letter.codePointAt(0), 7) % 360} 60% 50%)`;
  line.className = isMine ? 'message mine' : 'message';
  line.append(by, said);
  return append(line);
}

function note(words, kind = '') {
  const line = document.createElement('li');
  line.className = `note ${kind}`;
  line.textContent = words;
  append(line);
}

function append(line) {
  messages.append(line);
  line.scrollIntoView({ block: 'end' });
  return line;
}
