// The tree of stacks that the page carries as columns (gocost.reporters.flame), and what is asked of
// it: totals, widths, and the callers and callees of one function.

export function grow(data) {
  const nodes = data.name.map((number, row) => ({
    name: data.names[number],
    self: data.self[row],
    base: data.base ? data.base[row] : 0,
    money: data.money ? data.money[row] : 0,
    change: data.change ? data.change[row] : 0,
    children: [],
  }));
  const root = { name: "everything", self: 0, base: 0, money: 0, change: 0, children: [] };
  nodes.forEach((node, row) => {
    const caller = data.parent[row] < 0 ? root : nodes[data.parent[row]];
    node.parent = caller;
    caller.children.push(node);
  });
  return summed(root);
}

// Totals from the leaves up, and children by weight, the heaviest first.
function summed(root) {
  const order = [root];
  for (let i = 0; i < order.length; i++) order.push(...order[i].children);
  for (const node of order) {
    node.total = node.self;
    node.totalBase = node.base;
    node.totalMoney = node.money;
    node.totalChange = node.change;
  }
  for (let i = order.length - 1; i > 0; i--) {
    const { parent, total, totalBase, totalMoney, totalChange } = order[i];
    parent.total += total;
    parent.totalBase += totalBase;
    parent.totalMoney += totalMoney;
    parent.totalChange += totalChange;
  }
  for (const node of order) {
    node.children.sort((a, b) => weight(b) - weight(a) || (a.name < b.name ? -1 : 1));
  }
  return root;
}

function weight(node) {
  return Math.max(node.total, node.totalBase);
}

// What a frame's width stands for. "either" is as wide as the larger of before and now at every
// leaf, so that what is gone is seen as well as what is new; "change" as the money that every leaf
// costs more or less, so that what grew does not hide what shrank.
export const WIDTHS = {
  now: (node) => node.self,
  base: (node) => node.base,
  either: (node) => Math.max(node.self, node.base),
  money: (node) => Math.max(0, node.money),
  change: (node) => Math.abs(node.change),
};

export function measure(root, by) {
  const own = WIDTHS[by];
  const order = [root];
  for (let i = 0; i < order.length; i++) {
    order[i].width = own(order[i]);
    order.push(...order[i].children);
  }
  for (let i = order.length - 1; i > 0; i--) order[i].parent.width += order[i].width;
  return root;
}

// The outermost frames of a function: what it calls in the end counts once, however it recurs.
function outermost(root, name) {
  const found = [];
  const queue = [root];
  while (queue.length) {
    const node = queue.pop();
    if (node.name === name && node !== root) found.push(node);
    else queue.push(...node.children);
  }
  return found;
}

export function sandwich(root, name) {
  const frames = outermost(root, name);
  const callees = copy(name);
  const callers = copy(name);
  for (const frame of frames) {
    merge(callees, frame);
    let inner = callers;
    for (let up = frame.parent; up && up !== root; up = up.parent) inner = child(inner, up.name);
    // All that the function cost on this path of callers stands at the path's outermost end.
    inner.self += frame.total;
    inner.base += frame.totalBase;
    inner.money += frame.totalMoney;
    inner.change += frame.totalChange;
  }
  return { callers: summed(callers), callees: summed(callees), paths: frames.length };
}

function copy(name, parent = null) {
  return { name, parent, self: 0, base: 0, money: 0, change: 0, children: [], named: new Map() };
}

function child(node, name) {
  let found = node.named.get(name);
  if (!found) {
    found = copy(name, node);
    node.named.set(name, found);
    node.children.push(found);
  }
  return found;
}

function merge(into, from) {
  const pairs = [[into, from]];
  while (pairs.length) {
    const [target, source] = pairs.pop();
    target.self += source.self;
    target.base += source.base;
    target.money += source.money;
    target.change += source.change;
    for (const each of source.children) pairs.push([child(target, each.name), each]);
  }
}

// `encoding/json.(*Decoder).Decode` is read as `json.(*Decoder).Decode`: the path is in the words
// below the graph. What stands in brackets (types of generics, arguments) may have slashes too.
export function short(name) {
  const end = name.search(/[[({<\s]/);
  const head = end < 0 ? name : name.slice(0, end);
  const slash = head.lastIndexOf("/");
  return slash > 0 && slash < name.length - 1 ? name.slice(slash + 1) : name;
}

// By what frames are coloured: the package of a function, or the name itself.
export function family(name) {
  const end = name.search(/[[({<\s]/);
  const head = end < 0 ? name : name.slice(0, end);
  const dot = head.indexOf(".", head.lastIndexOf("/") + 1);
  return dot > 0 ? head.slice(0, dot) : head;
}
