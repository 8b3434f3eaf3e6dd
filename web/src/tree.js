// The tree that the page carries: an inner node is [name, [children]], a leaf [name, bytes, kind].
// A name that begins with a tab goes on from its parent's name, which saves half of the page.

export class Node {
  constructor(parent, name, kind) {
    this.parent = parent;
    this.name = name;
    this.kind = kind;
    this.value = 0;
    this.children = null;
    this.matched = 0;
  }

  path() {
    const nodes = [];
    for (let node = this; node; node = node.parent) nodes.unshift(node);
    return nodes;
  }
}

export function read(data) {
  const root = node(null, data.tree, data.title);
  const queue = [[root, data.tree]];
  const order = [];
  while (queue.length) {
    const [parent, entry] = queue.pop();
    order.push(parent);
    if (!Array.isArray(entry[1])) {
      parent.value = entry[1];
      continue;
    }
    parent.children = entry[1].map((child) => node(parent, child));
    parent.children.forEach((child, index) => queue.push([child, entry[1][index]]));
  }
  // Parents come before their children in `order`, so backwards every sum is ready when it is used.
  for (let i = order.length - 1; i >= 0; i--) {
    const inner = order[i];
    if (inner.children) {
      inner.children.sort((a, b) => b.value - a.value);
      inner.kind = inner.children.length ? inner.children[0].kind : 0;
    }
    if (inner.parent) inner.parent.value += inner.value;
  }
  return { root, nodes: order };
}

function node(parent, entry, title) {
  const name = entry[0].startsWith("\t") && parent ? parent.name + entry[0].slice(1) : entry[0];
  return new Node(parent, title ?? name, entry[2] ?? 0);
}

// How many bytes of each node's leaves have all the words in their name or an ancestor's.
export function match(nodes, words) {
  let leaves = 0;
  for (const item of nodes) item.matched = 0;
  if (!words.length) return leaves;
  for (const item of nodes) {
    if (item.children) continue;
    const name = item.path().slice(1).map((part) => part.name).join(" ").toLowerCase();
    if (!words.every((word) => name.includes(word))) continue;
    leaves += 1;
    for (let up = item; up; up = up.parent) up.matched += item.value;
  }
  return leaves;
}
