/** The feed of the observer page, what comes of each frame, and what is said when none comes any more. */
export const feedScript = String.raw`
  const STATES = { ready: 'Ready', starting: 'Starting', draining: 'Draining', shedding: 'Shedding connections' };
  // Frames come each second: after so many milliseconds without one what is shown is old.
  const SILENCE = 5000;
  let feed = null, lastList = null, lastFrame = null, lastHeard = performance.now(), retry;

  // What is looked at has changed; other: another tab.
  function shown(other) {
    if (other) lastList = null;
    if (document.activeElement !== byId('filter') || other) byId('filter').value = view.filter;
    for (const format of ['json', 'csv']) byId(format).href = 'observer/export?' + queryOf({ format });
    if (panel !== null && panel.pid !== view.pid) hideDetail();
    drawTabs();
    if (lastList !== null) drawList(lastList);
    connect();
  }

  function connect() {
    clearTimeout(retry);
    feed?.close();
    const query = queryOf({ offset: view.offset, since: Math.round(newest()), ...(view.pid !== null && { pid: view.pid }) });
    // Relative, here and below: a proxy may have the page below a path of its own.
    feed = new EventSource('observer/feed?' + query);
    feed.addEventListener('hello', ({ data }) => hello(JSON.parse(data)));
    feed.addEventListener('frame', ({ data }) => frame(JSON.parse(data)));
    feed.onerror = () => {
      lost();
      // A browser tries again by itself, unless it was refused.
      if (feed.readyState === 2) retry = setTimeout(connect, 2000);
    };
  }

  // What is shown is from when the relay was last heard of.
  function lost() {
    document.body.classList.add('lost');
    byId('state').dataset.state = 'lost';
    setText(byId('state'), (lastFrame === null ? '' : 'As of ' + clock(lastFrame) + ' \u00b7 ') + 'not reachable, trying again');
  }
  // A relay that stands still says nothing, and its connection stays.
  setInterval(() => { if (performance.now() - lastHeard > SILENCE) lost(); }, 1000);

  function state(name) {
    document.body.classList.remove('lost');
    byId('state').dataset.state = name;
    setText(byId('state'), STATES[name] ?? name);
  }

  function hello(message) {
    actions = message.actions;
    note(message.history);
    setText(byId('node'), visible(message.node));
    document.title = visible(message.node) + ' \u2013 Fanfare observer';
    byId('facts').dataset.about = 'Fanfare ' + message.version + ' \u00b7 ' + message.runtime + ' \u00b7 pid ' + message.pid;
    drawTiles();
  }

  function frame({ sample, totals, list: page, detail }) {
    lastHeard = performance.now();
    lastFrame = Date.now();
    if (sample !== null) note([sample]);
    if (!document.hidden) drawTiles();
    state(totals.state);
    setText(byId('facts'), byId('facts').dataset.about + ' \u00b7 up ' + time(totals.uptime));
    drawCounts(totals);
    for (const [tab, { total }] of Object.entries(TABS)) if (total) setText(byId('tab-' + tab).lastChild, whole(totals[total]));
    if (page !== null) {
      lastList = page;
      drawTools(page);
      if (!document.hidden) drawList(page);
    }
    if (detail !== null) drawDetail(detail);
  }

  function drawCounts(totals) {
    const { slow, dropped, crashed, links, linksDown, linesLost } = totals;
    const count = (n, mood, one, many) => [whole(n), (n === 1 ? one : many ?? one + 's'), n > 0 ? mood : 'zero'];
    const items = [
      [bytes(totals.pending), 'waiting for clients', totals.pending > 0 ? null : 'zero'], count(slow, 'warn', 'slow client'), count(dropped, 'warn', 'message dropped', 'messages dropped'),
      count(crashed, 'bad', 'crash', 'crashes'), ...(links === 0 ? [] : [count(linksDown, 'bad', 'link down', 'links down')]),
      [bytes(totals.heapLimit), 'heap limit', null], count(linesLost, 'bad', 'log line lost', 'log lines lost'),
    ];
    patch(byId('counts'), items.map(([value, name, mood]) => el('span', { class: mood }, el('b', {}, value), ' ' + name)));
  }

  document.addEventListener('visibilitychange', () => { if (!document.hidden) { drawTiles(); if (lastList !== null) drawList(lastList); } });
  window.addEventListener('popstate', follow);
  window.addEventListener('hashchange', follow);
  readAddress();
  writeAddress(false);
  shown(true);
`;
