/** Elements of the observer page: how they are made, and changed only where something has changed. */
export const elementScript = `
  const byId = (id) => document.getElementById(id);
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
  const setAttr = (node, name, value) => {
    if (value === null) node.removeAttribute(name);
    else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  };

  // Children that are as they should be stay: what is focused or marked for copying is not lost every two seconds.
  function patch(parent, nodes) {
    nodes.forEach((node, index) => {
      const before = parent.childNodes[index];
      if (before === undefined) parent.append(node);
      else if (!before.isEqualNode(node)) {
        const at = focusWithin(before);
        before.replaceWith(node);
        if (at !== null) (node.querySelectorAll?.('a, button')[at] ?? node).focus?.({ preventScroll: true });
      }
    });
    while (parent.childNodes.length > nodes.length) parent.lastChild.remove();
  }
  // Which of its buttons has the focus; null: none.
  function focusWithin(node) {
    const { activeElement } = document;
    if (node === activeElement) return 0;
    if (!node.contains(activeElement)) return null;
    return [...node.querySelectorAll('a, button')].indexOf(activeElement);
  }

  // Puts elements in this order, and takes the others out. Moving an element takes the focus from it: it gets it back.
  function arrange(parent, nodes) {
    const { activeElement } = document;
    let at = parent.firstChild;
    for (const node of nodes) {
      if (node === at) at = at.nextSibling;
      else parent.insertBefore(node, at);
    }
    while (at !== null) { const next = at.nextSibling; at.remove(); at = next; }
    if (document.activeElement !== activeElement && parent.contains(activeElement)) activeElement.focus({ preventScroll: true });
  }

  const mono = (text) => el('span', { class: 'mono' }, visible(text));
`;
