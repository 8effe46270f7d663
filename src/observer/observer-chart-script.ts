/** Numbers as text, and the charts, as the observer page runs them. */
export const observerChartScript = `
  const el = (tag, attrs = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attrs)) {
      if (name === 'onclick') node.onclick = value;
      else if (value === true) node.setAttribute(name, '');
      else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  };
  const svg = (tag, attrs = {}) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attrs)) node.setAttribute(name, value);
    return node;
  };
  const setText = (node, text) => { if (node.textContent !== text) node.textContent = text; };

  // A thin space between groups of three, as in 12 345.
  const whole = (n) => String(Math.round(n)).replace(/\\B(?=(\\d{3})+$)/g, '\\u2009');
  const rate = (n) => n === 0 ? '0' : n < 10 ? n.toFixed(1) : whole(n);
  const bytes = (n) => {
    const units = ['B', 'KiB', 'MiB', 'GiB'];
    let at = 0;
    while (n >= 1024 && at < units.length - 1) { n /= 1024; at++; }
    return (at === 0 || n >= 100 ? String(Math.round(n)) : n.toFixed(1)) + ' ' + units[at];
  };
  const ms = (n) => n < 1 ? n.toFixed(2) : n < 10 ? n.toFixed(1) : whole(n);
  const time = (n) => {
    const s = Math.floor(n / 1000);
    if (s < 60) return s + ' s';
    if (s < 3600) return Math.floor(s / 60) + ' min ' + s % 60 + ' s';
    if (s < 86400) return Math.floor(s / 3600) + ' h ' + Math.floor(s % 3600 / 60) + ' min';
    return Math.floor(s / 86400) + ' d ' + Math.floor(s % 86400 / 3600) + ' h';
  };

  const kept = 600, shortest = 120, width = 600, height = 64, room = 6;
  let samples = [];
  let cursor = null; // a place in samples, or null

  // one: the line with an area; two: another line on the same scale.
  const tiles = [
    { title: 'Messages in', one: (s) => s.messages, show: rate, unit: '/s',
      also: (s) => [whole(s.connections) + ' connections'] },
    { title: 'Deliveries', one: (s) => s.deliveries, show: rate, unit: '/s',
      also: (s) => [s.dropped > 0 ? rate(s.dropped) + ' dropped/s' : 'nothing dropped'] },
    { title: 'Publish to write', one: (s) => s.latency50, two: (s) => s.latency99, show: ms, unit: 'ms',
      also: (s) => ['p50, and ', ['p99 ' + (s.latency99 === null ? '–' : ms(s.latency99) + ' ms')]] },
    { title: 'Event loop delay', one: (s) => s.loopDelay, show: ms, unit: 'ms', least: 10, also: () => ['worst of each second'] },
    { title: 'Event loop busy', one: (s) => s.utilisation * 100, show: (n) => n.toFixed(n < 10 ? 1 : 0), unit: '%', most: 100,
      also: (s) => [s.utilisation > 0.9 ? 'near its limit' : 'of one core'] },
    { title: 'Memory', one: (s) => s.rss, two: (s) => s.heapUsed, show: (n) => bytes(n).split(' ')[0], unit: (n) => bytes(n).split(' ')[1],
      peak: bytes, also: (s) => ['resident, and ', ['heap ' + bytes(s.heapUsed)]] },
  ];

  for (const tile of tiles) {
    tile.now = el('p', { class: 'now' });
    tile.also_ = el('p', { class: 'also' });
    tile.peakAt = el('span', {});
    tile.from = el('span', {});
    tile.area = svg('path', { class: 'area' });
    tile.line = svg('path', { class: 'line' });
    tile.second = svg('path', { class: 'line two' });
    tile.cursor = svg('line', { class: 'cursor', y1: 0, y2: height, visibility: 'hidden' });
    const chart = svg('svg', { viewBox: '0 0 ' + width + ' ' + height, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    chart.append(tile.area, tile.line, tile.second, tile.cursor);
    chart.onpointermove = (event) => {
      const box = chart.getBoundingClientRect();
      const at = Math.round((event.clientX - box.left) / box.width * (span() - 1)) - (span() - samples.length);
      cursor = at >= 0 && at < samples.length ? at : null;
      drawTiles();
    };
    chart.onpointerleave = () => { cursor = null; drawTiles(); };
    document.getElementById('tiles').append(el('article', { class: 'tile' }, el('h2', {}, tile.title), tile.now, tile.also_, el('p', { class: 'scale' }, tile.peakAt, tile.from), chart));
  }

  // A young relay has less than ten minutes to show: what there is fills the width, from two minutes on.
  const span = () => Math.max(shortest, samples.length);
  const place = (index) => (index + span() - samples.length) / (span() - 1) * width;

  function path(read, top) {
    let text = '', open = false;
    samples.forEach((sample, index) => {
      const value = read(sample);
      // What was not measured is not drawn; a line goes on over a short gap.
      if (value === null) return;
      const y = height - 1 - value / top * (height - room);
      text += (open ? 'L' : 'M') + place(index).toFixed(1) + ' ' + y.toFixed(1);
      open = true;
    });
    return text;
  }

  function drawTiles() {
    const shown = samples[cursor === null ? samples.length - 1 : cursor];
    if (shown === undefined) return;
    for (const tile of tiles) {
      let top = 0;
      for (const sample of samples) top = Math.max(top, tile.one(sample) ?? 0, tile.two?.(sample) ?? 0);
      const peak = top;
      top = Math.max(tile.most ?? top * 1.08, tile.least ?? 0) || 1;
      const line = path(tile.one, top);
      tile.line.setAttribute('d', line);
      const first = samples.findIndex((sample) => tile.one(sample) !== null);
      const last = samples.findLastIndex((sample) => tile.one(sample) !== null);
      tile.area.setAttribute('d', first < 0 ? '' : line + 'L' + place(last) + ' ' + height + 'L' + place(first) + ' ' + height + 'Z');
      if (tile.two) tile.second.setAttribute('d', path(tile.two, top));
      let value = tile.one(shown);
      // Latency is known of some seconds only: the last one that is known says more than nothing.
      if (value === null && cursor === null) value = tile.one(samples.findLast((sample) => tile.one(sample) !== null) ?? shown);
      const unit = typeof tile.unit === 'function' ? tile.unit(value ?? 0) : tile.unit;
      tile.now.replaceChildren(value === null ? '–' : tile.show(value), el('small', {}, unit));
      const ago = cursor === null ? null : samples.length - 1 - cursor;
      const also = ago === null ? tile.also(shown) : [ago === 0 ? 'now' : time(ago * 1000) + ' ago', ...tile.also(shown).filter(Array.isArray).map((it) => ', ').slice(0, 1), ...tile.also(shown).filter(Array.isArray)];
      tile.also_.replaceChildren(...also.map((part) => Array.isArray(part) ? el('b', {}, part[0]) : part));
      setText(tile.peakAt, peak > 0 && !tile.most ? 'max ' + (tile.peak ?? tile.show)(peak) : '');
      setText(tile.from, cursor === null ? time(span() * 1000).replace(/ 0 s$/, '') : '');
      tile.cursor.setAttribute('visibility', cursor === null ? 'hidden' : 'visible');
      if (cursor !== null) { tile.cursor.setAttribute('x1', place(cursor)); tile.cursor.setAttribute('x2', place(cursor)); }
    }
  }
`;
