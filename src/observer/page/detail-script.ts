/** One process in detail on the observer page: a client, there or gone, a topic, or any other. */
export const detailScript = String.raw`
  // What is shown in detail, with its elements; actions: whether the page may do more than look.
  let panel = null, actions = false;

  function drawDetail(detail) {
    if (detail.pid !== view.pid) return;
    byId('detail').hidden = false;
    byId('split').classList.add('two');
    if (panel === null || panel.pid !== detail.pid) panel = newPanel(detail);
    const { info } = detail;
    if (info !== null) drawLive(detail);
    else {
      panel.acts.hidden = true;
      if (detail.gone === null) setText(panel.said, 'This process has ended.');
      else drawGone(detail.gone);
    }
  }

  function hideDetail() {
    panel = null;
    byId('detail').hidden = true;
    byId('detail').replaceChildren();
    byId('split').classList.remove('two');
  }

  function newPanel({ pid, info }) {
    const made = { pid, name: el('h3'), trouble: el('p', { class: 'trouble' }), facts: el('dl'), more: el('div', { class: 'links' }),
      stateTitle: el('h4', {}, 'State'), state: el('pre', { class: 'mono' }), trace: el('pre', { class: 'mono' }), said: el('p', { class: 'said', role: 'status' }) };
    const button = (text, act, danger) => el('button', { class: danger ? 'danger' : null, onclick: act }, text);
    const acts = [button('Trace 3 s', () => trace(pid))];
    if (actions) {
      for (const [text, action, danger] of [['Suspend', 'suspend'], ['Resume', 'resume'], ...(info?.behaviour === 'connection-handler' ? [['Disconnect', 'disconnect', true]] : []), ...(info?.type === 'supervisor' ? [] : [['Kill', 'kill', true]])]) {
        acts.push(button(text, () => (!danger || confirm(text + ' <' + pid + '>?')) && act(action, pid), danger));
      }
    }
    made.acts = el('div', { class: 'acts' }, ...acts);
    byId('detail').replaceChildren(
      el('div', { class: 'top' }, made.name, el('button', { class: 'close', 'aria-label': 'Close', onclick: closeDetail }, '\u00d7')),
      made.trouble, made.facts, made.more, made.acts, made.said, made.trace, made.stateTitle, made.state);
    return made;
  }

  const drawFacts = (facts) => patch(panel.facts, facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', { class: /^(0|0 B|\u2013|none|nobody|0 messages)$/.test(value) ? 'zero' : null }, value)]));
  const perSecond = (n) => n === null ? '\u2013' : rate(n);
  const milliseconds = (n) => n === null ? '\u2013' : n === 0 ? '< 1 ms' : ms(n) + ' ms';
  const named = (names, count) => count === 0 ? 'none' : visible(names.join(', ')) + (count > names.length ? ', \u2026' : '');

  // Where else the client is to be found: others of its address, of its name, its topics.
  function drawMore(tab, address, subject, topics) {
    const go = (text, to, filter) => el('button', { title: visible(filter), onclick: () => show({ tab: to, filter: filter.slice(0, 100), offset: 0 }) }, visible(text));
    patch(panel.more, [go('All from ' + address, tab, address), ...(subject ? [go('All of ' + subject, tab, subject)] : []),
      ...topics.slice(0, 20).map((name) => go(name, 'topics', name))]);
  }

  function drawLive({ info, rate: handled, traffic, state }) {
    const { details } = info;
    setText(panel.name, visible(details?.topic ?? (details?.door ? details.door + ' ' + details.address : info.name)));
    setText(panel.trouble, details?.trouble ? visible(details.trouble) : '');
    const known = details === null ? [] : details.door ? clientFacts(details, traffic) : topicFacts(details, traffic);
    drawFacts([...known, ['Pid', info.ref], ['Runs', info.behaviour], ['Status', info.status], ['Mailbox', whole(info.mailbox)], ['Longest mailbox', whole(info.mailboxHighWater)],
      ['Handled', whole(info.handled)], ['Handled per second', perSecond(handled)], ['Restarts before', whole(info.restarts)], ['Up', time(info.uptime)],
      ['Under', info.ancestors.slice(0, 3).map(visible).join(' \u2039 ') || '\u2013']]);
    // Of more than twenty topics the last says how many there are.
    if (details?.door) drawMore('connections', details.address, details.subject, details.memberships.filter((name) => !name.startsWith('\u2026 ')));
    else patch(panel.more, details === null ? [] : [el('button', { onclick: () => show({ tab: 'connections', filter: details.topic.replace(/^topic:[^:]*:/, '').slice(0, 100), offset: 0 }) }, 'Its members')]);
    setText(panel.state, plain(state).trim());
  }

  function clientFacts(client, traffic) {
    return [['State', client.state], ['Who', visible(client.subject ?? (client.authorised ? 'a credential of its own' : 'anonymous'))],
      ['Topics', whole(client.topics)], ...(client.owns === null ? [] : [['Owns', visible(client.owns)]]),
      ['Waiting', bytes(client.pending)], ['Most waiting', bytes(client.pendingHighWater)], ['Bytes taken', bytes(client.taken)],
      ['In per second', perSecond(traffic.in)], ['Out per second', perSecond(traffic.out)], ['Messages in', whole(client.in)], ['Messages out', whole(client.out)],
      ['Round trip', milliseconds(client.roundTrip)], ['Transport', client.transport]];
  }

  function topicFacts(topic, traffic) {
    return [['Members', whole(topic.members)], ['In per second', perSecond(traffic.in)], ['Out per second', perSecond(traffic.out)],
      ['Waiting', plural(topic.queue, 'message')], ['Held back by', topic.heldBy ?? 'nobody'],
      ...(topic.kept === null ? [] : [['Kept', plural(topic.kept, 'message') + ', ' + bytes(topic.keptBytes)]]),
      ...(topic.owner === null ? [] : [['Owner', visible(topic.owner)]])];
  }

  // A client that is gone, and why.
  function drawGone(gone) {
    setText(panel.name, visible(gone.door + ' ' + gone.address));
    setText(panel.trouble, '');
    setText(panel.said, 'This client is gone: ' + visible(gone.event) + '.');
    drawFacts([['Pid', '<' + gone.conn + '>'], ['Closed', new Date(gone.at).toLocaleString()], ['Code', String(gone.code)], ['Reason', visible(gone.reason)],
      ['Who', visible(gone.subject ?? (gone.authorised ? 'a credential of its own' : 'anonymous'))], ['Lived', time(gone.age)],
      ['Topics', named(gone.topics, gone.topicCount)],
      ['Messages in', whole(gone.in)], ['Messages out', whole(gone.out)], ['Most waiting', bytes(gone.pendingHighWater)], ['Round trip', milliseconds(gone.roundTrip)]]);
    drawMore('gone', gone.address, gone.subject, gone.topics);
    panel.stateTitle.hidden = true;
  }

  async function ask(path, options) {
    try {
      const answer = await fetch(path, options);
      return await answer.json();
    } catch {
      return { error: 'not reachable' };
    }
  }

  async function trace(id) {
    const mine = panel;
    setText(mine.said, 'Looking at its messages\u2026');
    const { lines = [], error } = await ask('observer/trace?pid=' + id);
    setText(mine.said, error ?? (lines.length === 0 ? 'No message in 3 seconds.' : plural(lines.length, 'message') + ' in 3 seconds:'));
    setText(mine.trace, lines.map((line) => visible(line.replace(/^\S+ (\d+)\/\d+ /, '$1  '))).join('\n'));
  }

  async function act(action, id) {
    const mine = panel;
    const { done, error } = await ask('observer/actions', { method: 'POST', body: JSON.stringify({ action, pid: id }) });
    setText(mine.said, visible(done ?? error));
  }
`;
