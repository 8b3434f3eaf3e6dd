// Flame graphs: one a `section.flame`, drawn by d3-flame-graph from the tree that the page carries,
// with what the library lacks: the keyboard, dark pages, differences, money, callers and callees.
import { Graph } from "./graph.js";
import { money, quantity, share } from "./quantity.js";
import { grow, measure, sandwich, short } from "./stacks.js";

const WORDS = { nanoseconds: "time", seconds: "time", bytes: "bytes", count: "count" };

for (const place of document.querySelectorAll("section.flame")) {
  place.hidden = false;
  new Flame(place, JSON.parse(place.querySelector("script").textContent));
}

function Flame(place, data) {
  const find = (selector) => place.querySelector(selector);
  const root = grow(data);
  const compared = Boolean(data.base);
  const names = new Set(data.names);
  const changed = compared && Boolean(data.change);
  const paid = (value, signed = false) => money(value, data.currency, data.per, signed);
  let by = compared ? "either" : data.money && root.totalMoney > 0 ? "money" : "now";

  const said = (node, through = false) => {
    const parts = [`${quantity(node.total, data.unit)} (${share(node.total, root.total)})`];
    if (!through) parts.push(`${quantity(node.self, data.unit)} in itself`);
    if (compared) {
      const grew = node.total - node.totalBase;
      const of = node.totalBase ? ` (${grew < 0 ? "-" : "+"}${share(Math.abs(grew), node.totalBase)})` : "";
      const verdict = node.totalBase ? of : " (new)";
      parts.push(`before ${quantity(node.totalBase, data.unit)}, ${quantity(grew, data.unit, true)}${node.total ? verdict : " (gone)"}`);
    }
    if (changed) parts.unshift(`${paid(cents(node.totalChange), true)} (${paid(node.totalMoney)} now)`);
    else if (data.money) parts.unshift(paid(node.totalMoney) + (compared ? " now" : ""));
    return parts.join(", ");
  };
  const shown = { said, compared, unit: data.unit };
  const graph = new Graph(place.querySelector(".graph"), find(":scope > .said"), shown);
  const bread = find(".sandwich");
  let pair = [];

  const draw = () => graph.show(measure(root, by));

  const focus = (name, jump = true) => {
    const { callers, callees, paths } = sandwich(root, name);
    bread.hidden = false;
    const heading = bread.querySelector("h3");
    heading.textContent = name;
    const many = paths === 1 ? "one path" : `${paths.toLocaleString("en")} paths`;
    bread.querySelector("[data-sum]").textContent = `${said(callees)}, on ${many} of callers`;
    const [above, below] = bread.querySelectorAll(".graph");
    const line = bread.querySelector(".said");
    pair.forEach((each) => each.close());
    pair = [
      new Graph(above, line, { ...shown, said: (node) => said(node, true), upward: true }),
      new Graph(below, line, shown),
    ];
    pair[0].show(measure(callers, by));
    pair[1].show(measure(callees, by));
    if (jump) {
      heading.focus({ preventScroll: true });
      bread.scrollIntoView({ block: "nearest", behavior: "auto" });
    }
  };
  shown.chosen = graph.chosen = focus;

  const search = find("input[type=search]");
  const found = find("[data-found]");
  const look = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    // Widths of a change have no sign; what is found costs more or less.
    const { frames, sum } = graph.light(words, by === "change" ? (node) => node.totalChange : undefined);
    const told = {
      money: () => `${paid(sum)} (${share(sum, root.width)})`,
      change: () => paid(cents(sum), true),
    }[by] ?? (() => `${quantity(sum, data.unit)} (${share(sum, root.width)})`);
    const many = `${frames.toLocaleString("en")} ${frames === 1 ? "frame" : "frames"}`;
    found.textContent = words.length ? `${told()} in ${many}` : "";
  };
  let waiting = 0;
  search.addEventListener("input", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(look);
  });
  find("[data-out]").addEventListener("click", () => graph.out(true));
  graph.zoomed = (far) => {
    find("[data-out]").hidden = !far;
  };
  bread.querySelector("[data-close]").addEventListener("click", () => {
    bread.hidden = true;
    graph.focus();
  });

  const ways = [];
  if (compared) ways.push(["either", "larger of before and now"], ["now", "now"], ["base", "before"]);
  else if (data.money && root.total) ways.push(["now", WORDS[data.unit] ?? "amount"]);
  if (changed) ways.push(["change", "change in money"]);
  else if (data.money) ways.push(["money", "money"]);
  const select = find("select");
  select.replaceChildren(...ways.map(([value, text]) => new Option(text, value)));
  select.value = by;
  select.parentElement.hidden = ways.length < 2;
  select.addEventListener("change", () => {
    by = select.value;
    draw();
    look();
    if (!bread.hidden) focus(bread.querySelector("h3").textContent, false);
  });
  if (compared) {
    const legend = find("[data-legend]");
    legend.hidden = false;
    for (const [kind, text] of [["more", "more than before"], ["same", "the same"], ["less", "less than before"]]) {
      const item = document.createElement("span");
      const sign = document.createElement("i");
      sign.className = kind;
      item.append(sign, text);
      legend.append(item);
    }
  }
  link(data.level, names, focus);
  draw();
  // A server's page may be about one function: by its name, or by a part of it.
  const asked = new URLSearchParams(location.search).get("function");
  if (asked) {
    const name = names.has(asked) ? asked : data.names.find((each) => each.includes(asked));
    if (name) focus(name);
    else found.textContent = `nothing here is called ${asked}`;
  }
}

// A sum of fractions that cancel out is nothing, and no amount below a cent.
function cents(amount) {
  return Math.abs(amount) < 1e-9 ? 0 : amount;
}

// The names in the tables of the page that the graph has too lead to their callers and callees.
function link(level, names, focus) {
  for (const table of document.querySelectorAll(`[data-table="${CSS.escape(level)}"] tbody`)) {
    for (const row of table.rows) {
      const cell = row.cells[0];
      if (cell.querySelector("button, a") || !names.has(cell.textContent)) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "link";
      button.title = `callers and callees of ${short(cell.textContent)}`;
      button.textContent = cell.textContent;
      button.addEventListener("click", () => focus(button.textContent));
      cell.replaceChildren(button);
    }
  }
}
