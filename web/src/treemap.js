// A treemap to zoom into, drawn on a canvas two levels at a time, so that its cost follows the
// area of the page and not the number of functions: what would be smaller than a few pixels is
// drawn as one tile. Beside it a list of the same level, for the keyboard and for screen readers.
import { hierarchy, treemap as layout, treemapSquarify } from "d3-hierarchy";
import { bytes, share } from "./quantity.js";
import { match, read } from "./tree.js";

const SMALLEST = 24; // square pixels; below it tiles are drawn together
const TITLE = 17; // pixels for a group's name
const LISTED = 40;
const GOLDEN = 137.5; // degrees
const NAMELESS = /^(unknown$|\()/;

export function treemap() {
  const place = document.getElementById("treemap");
  if (!place) return;
  const data = JSON.parse(document.getElementById("treemap-data").textContent);
  place.hidden = false;
  new Treemap(place, data).show();
}

class Treemap {
  constructor(place, data) {
    Object.assign(this, read(data));
    this.kinds = data.kinds;
    this.levels = data.levels;
    this.current = this.root;
    this.byKind = false;
    this.words = [];
    this.tiles = [];
    this.canvas = place.querySelector("canvas");
    this.context = this.canvas.getContext("2d");
    this.tip = place.querySelector("[role=tooltip]");
    this.crumbs = place.querySelector("nav");
    this.list = place.querySelector("tbody");
    this.said = place.querySelector("[aria-live]");
    this.legend = place.querySelector("[data-legend]");
    this.listen(place);
  }

  listen(place) {
    this.canvas.addEventListener("click", (event) => {
      const tile = this.at(event);
      if (tile) this.zoom(target(tile, this.current));
    });
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.hide());
    place.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.current.parent) {
        this.zoom(this.current.parent);
        event.preventDefault();
      }
    });
    const search = place.querySelector("input[type=search]");
    let waiting = 0;
    search.addEventListener("input", () => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => this.search(search.value));
    });
    const colour = place.querySelector("select");
    colour.parentElement.hidden = this.kinds.length < 2;
    colour.addEventListener("change", () => {
      this.byKind = colour.value === "kind";
      this.draw();
    });
    document.addEventListener("themechange", () => this.draw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.arrange()).observe(this.canvas);
  }

  zoom(node) {
    if (!node.children || node === this.current) return;
    this.current = node;
    this.hide();
    this.show();
  }

  show() {
    this.arrange();
    this.breadcrumb();
    this.fillList();
    this.said.textContent = this.summary();
  }

  summary() {
    const { name, value, children } = this.current;
    const found = this.words.length
      ? `; ${bytes(this.current.matched)} match${this.leaves ? ` in ${this.leaves.toLocaleString("en")} places` : ""}`
      : "";
    return `${name}: ${bytes(value)}, ${share(value, this.root.value)} of all, ${children.length.toLocaleString("en")} parts${found}`;
  }

  arrange() {
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    if (!width || !height) return;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.groups = new Map(this.current.children.map((child, index) => [child, index]));
    const pixels = (width * height) / Math.max(1, this.current.value);
    const tree = hierarchy({ node: this.current }, (entry) => parts(entry, this.current, pixels))
      .sum((entry) => entry.own || 0);
    layout()
      .tile(treemapSquarify.ratio(1.2))
      .size([width, height])
      .paddingInner(1)
      .paddingTop((tile) => (tile.depth === 1 && tile.children && wide(tile) ? TITLE : 0))
      .round(true)(tree);
    this.tiles = tree.descendants().slice(1);
    this.draw();
  }

  draw() {
    const paint = this.context;
    const style = getComputedStyle(document.documentElement);
    const dark = style.getPropertyValue("--dark").trim() === "1";
    paint.clearRect(0, 0, this.canvas.width, this.canvas.height);
    paint.font = "12px system-ui, sans-serif";
    paint.textBaseline = "middle";
    for (const tile of this.tiles) this.tile(paint, tile, dark);
    this.drawLegend(dark);
    this.canvas.dataset.tiles = this.tiles.length;
  }

  tile(paint, tile, dark) {
    const { x0, y0, x1, y1 } = tile;
    const width = x1 - x0;
    const height = y1 - y0;
    if (width < 1 || height < 1) return;
    const node = tile.data.node;
    const lit = !this.words.length || (node && node.matched > 0);
    paint.globalAlpha = lit ? 1 : 0.18;
    paint.fillStyle = this.colour(tile, dark);
    paint.fillRect(x0, y0, width, height);
    const room = tile.children ? (wide(tile) ? TITLE : 0) : height;
    if (room >= 13 && width >= 34) {
      paint.fillStyle = dark ? "#f4f4f4" : "#161616";
      const name = tile.data.name ?? short(node, this.current);
      const text = fitted(paint, name, width - 6);
      if (text) {
        paint.fillText(text, x0 + 3, y0 + (tile.children ? TITLE / 2 : Math.min(height / 2, 10)));
        if (!tile.children && height >= 30) {
          paint.globalAlpha *= 0.75;
          const size = bytes(tile.value);
          if (paint.measureText(size).width <= width - 6) paint.fillText(size, x0 + 3, y0 + 25);
        }
      }
    }
    paint.globalAlpha = 1;
  }

  colour(tile, dark) {
    const light = dark ? (tile.children ? 24 : 33) : tile.children ? 88 : 77;
    const node = tile.data.node;
    if (!node) return `hsl(0 0% ${light}%)`;
    const base = this.byKind ? node.kind : this.groups.get(this.group(node)) ?? 0;
    // The golden angle keeps neighbours in the order apart; what has no name of its own is grey.
    const hue = (base * GOLDEN) % 360;
    const grey = NAMELESS.test(this.byKind ? this.kinds[base] : this.group(node).name);
    return `hsl(${hue} ${grey ? 4 : dark ? 38 : 52}% ${light}%)`;
  }

  group(node) {
    while (node.parent && node.parent !== this.current) node = node.parent;
    return node;
  }

  drawLegend(dark) {
    this.legend.replaceChildren();
    this.legend.hidden = !this.byKind;
    if (!this.byKind) return;
    this.kinds.forEach((name, index) => {
      const item = document.createElement("span");
      const sign = document.createElement("i");
      const strong = NAMELESS.test(name) ? 4 : dark ? 38 : 52;
      sign.style.backgroundColor = `hsl(${(index * GOLDEN) % 360} ${strong}% ${dark ? 33 : 77}%)`;
      item.append(sign, name || "other");
      this.legend.append(item);
    });
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    let found = null;
    for (const tile of this.tiles) {
      if (x >= tile.x0 && x < tile.x1 && y >= tile.y0 && y < tile.y1) found = tile;
    }
    return found;
  }

  point(event) {
    const tile = this.at(event);
    if (!tile) return this.hide();
    const node = tile.data.node ?? tile.parent.data.node;
    const names = node.path().slice(1).map((part) => part.name);
    const kind = this.kinds[node.kind];
    const lines = [
      tile.data.name ? `${tile.data.name} in ${names.at(-1) ?? node.name}` : names.at(-1),
      `${bytes(tile.value)}, ${share(tile.value, this.root.value)} of all, ${share(tile.value, this.current.value)} of ${this.current.name}`,
      names.length > 1 ? names.slice(0, -1).join(" > ") : "",
      !node.children && kind ? kind : "",
    ];
    this.tip.textContent = lines.filter(Boolean).join("\n");
    this.tip.hidden = false;
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left + 14;
    this.tip.style.left = `${Math.max(0, Math.min(x, box.width - this.tip.offsetWidth))}px`;
    const below = event.clientY - box.top + 18;
    const fits = below + this.tip.offsetHeight < box.height;
    this.tip.style.top = `${fits ? below : Math.max(0, below - this.tip.offsetHeight - 34)}px`;
    this.canvas.style.cursor = target(tile, this.current).children ? "zoom-in" : "default";
  }

  hide() {
    this.tip.hidden = true;
  }

  breadcrumb() {
    const items = this.current.path().map((node) => {
      const here = node === this.current;
      const item = document.createElement(here ? "span" : "button");
      item.textContent = node.name;
      if (here) item.setAttribute("aria-current", "true");
      else {
        item.type = "button";
        item.addEventListener("click", () => this.zoom(node));
      }
      return item;
    });
    this.crumbs.replaceChildren(...items);
  }

  fillList() {
    const children = this.words.length
      ? this.current.children.filter((node) => node.matched)
      : this.current.children;
    const rows = children.slice(0, LISTED).map((node) => {
      const value = this.words.length ? node.matched : node.value;
      return row(name(node, this), bytes(value), share(value, this.root.value));
    });
    const rest = children.slice(LISTED);
    if (rest.length) {
      const value = rest.reduce((sum, node) => sum + (this.words.length ? node.matched : node.value), 0);
      rows.push(row(`(${rest.length.toLocaleString("en")} others)`, bytes(value), share(value, this.root.value)));
    }
    this.list.replaceChildren(...rows);
  }

  search(text) {
    this.words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.leaves = match(this.nodes, this.words);
    this.draw();
    this.fillList();
    this.said.textContent = this.summary();
  }
}

// What is drawn below an entry: its parts, the small ones as one. `pixels` is the area of a byte.
function parts(entry, current, pixels) {
  const node = entry.node;
  if (!node || !node.children || (node !== current && node.parent !== current)) {
    if (node) entry.own = node.value;
    return null;
  }
  const large = [];
  let small = 0;
  let count = 0;
  for (const child of node.children) {
    if (child.value * pixels >= SMALLEST) large.push({ node: child });
    else {
      small += child.value;
      count += 1;
    }
  }
  if (count) large.push({ own: small, name: `${count.toLocaleString("en")} smaller` });
  return large;
}

// A click goes one level down, to the part of the current level that was hit.
function target(tile, current) {
  let node = tile.data.node ?? tile.parent.data.node;
  while (node.parent && node.parent !== current) node = node.parent;
  return node;
}

function wide(tile) {
  return tile.x1 - tile.x0 > 40 && tile.y1 - tile.y0 > 36;
}

// Inside a package the package's own path says nothing new.
function short(node, current) {
  const above = node.parent === current ? current : node.parent;
  const inside = above && node.name.startsWith(above.name) && node.name.length > above.name.length;
  return inside ? node.name.slice(above.name.length).replace(/^[./]/, "") : node.name;
}

function fitted(paint, text, width) {
  const full = paint.measureText(text).width;
  if (full <= width) return text;
  for (let keep = Math.floor((width / full) * text.length) - 1; keep >= 3; keep--) {
    const half = Math.floor(keep / 2);
    const short = `${text.slice(0, keep - half)}…${text.slice(text.length - half)}`;
    if (paint.measureText(short).width <= width) return short;
  }
  return "";
}

function name(node, map) {
  if (!node.children) return node.name;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = node.name;
  button.addEventListener("click", () => {
    map.zoom(node);
    map.list.querySelector("button")?.focus();
  });
  return button;
}

function row(first, ...rest) {
  const line = document.createElement("tr");
  for (const [index, content] of [first, ...rest].entries()) {
    const cell = document.createElement("td");
    if (index) cell.className = "n";
    cell.append(content);
    line.append(cell);
  }
  return line;
}
