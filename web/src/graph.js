// One flame graph: d3-flame-graph with the keyboard, words for screen readers, and the page's colours.
import { select } from "d3-selection";
import flamegraph from "d3-flame-graph";
import { family, short } from "./stacks.js";

const CELL = 20; // pixels a frame is high
const NARROWEST = 1.5; // pixels; what is narrower is not drawn until it is zoomed into
const PLAIN = /^(everything$|\(|\[|<)/;

export class Graph {
  constructor(place, said, { said: words, compared, upward = false, chosen = null }) {
    Object.assign(this, { place, line: said, words, compared, upward, chosen });
    this.zoomed = () => {};
    this.lit = [];
    this.resize = new ResizeObserver(() => this.fit());
    this.keys = (event) => this.key(event);
    this.enters = (event) => this.entered(event);
    this.repaint = () => this.chart && this.update();
    place.addEventListener("keydown", this.keys);
    place.addEventListener("focusin", this.enters);
    document.addEventListener("themechange", this.repaint);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.repaint);
  }

  show(root) {
    this.place.replaceChildren();
    this.place.classList.toggle("upward", this.upward);
    this.root = root;
    this.hues = new Map();
    this.chart = flamegraph()
      .width(Math.max(120, this.place.clientWidth))
      .cellHeight(CELL)
      .minFrameSize(NARROWEST)
      .transitionDuration(0)
      .resetHeightOnZoom(true)
      .inverted(!this.upward)
      .selfValue(false)
      .getName((node) => short(node.data.name))
      .getValue((node) => (node.data ?? node).width)
      .getChildren((node) => node.children)
      .setColorMapper((node) => this.colour(node))
      .setLabelHandler((node) => this.text(node))
      .setDetailsHandler((text) => this.say(text))
      .setSearchMatch((node) => this.matches(node))
      .setSearchHandler(() => {})
      .onClick((node) => {
        this.current = node;
        this.decorate();
        this.zoomed(Boolean(node.parent));
      });
    select(this.place).datum(root).call(this.chart);
    this.top = select(this.place).datum();
    this.current = this.top;
    this.decorate();
    this.say(null);
    this.zoomed(false);
    this.resize.observe(this.place);
  }

  close() {
    this.resize.disconnect();
    this.place.removeEventListener("keydown", this.keys);
    this.place.removeEventListener("focusin", this.enters);
    document.removeEventListener("themechange", this.repaint);
    matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.repaint);
  }

  fit() {
    const width = this.place.clientWidth;
    if (!this.chart || !width || Math.abs(width - this.chart.width()) < 1) return;
    this.chart.width(width);
    this.update();
  }

  update() {
    this.chart.update();
    this.decorate();
  }

  // What the library's frames lack for those who do not point: a place in the order of Tab (one for
  // the whole graph), a role, and their words.
  decorate() {
    const graph = this;
    const svg = select(this.place).select("svg");
    svg.attr("role", "group").attr("aria-label", "flame graph");
    const frames = svg.selectAll("g.frame");
    if (!frames.data().includes(this.current)) this.current = this.top;
    frames.each(function (node) {
      this.setAttribute("tabindex", node === graph.current ? 0 : -1);
      this.setAttribute("role", "button");
      this.setAttribute("aria-label", graph.text(node));
      this.classList.toggle("lit", graph.lit.length > 0 && Boolean(node.highlight));
      this.classList.toggle("dim", graph.lit.length > 0 && !node.highlight);
    });
    this.place.dataset.frames = frames.size();
  }

  text(node) {
    return `${node.data.name}: ${this.words(node.data)}`;
  }

  say(text) {
    this.line.textContent = text || this.text(this.current ?? this.top);
  }

  colour(node) {
    const style = getComputedStyle(document.documentElement);
    const dark = style.getPropertyValue("--dark").trim() === "1";
    if (node.highlight) return dark ? "hsl(290 60% 42%)" : "hsl(290 75% 78%)";
    const { name, total, totalBase } = node.data;
    if (this.compared) {
      const most = Math.max(total, totalBase);
      const grew = most ? (total - totalBase) / most : 0;
      const strong = Math.sqrt(Math.abs(grew));
      const light = dark ? 26 + 14 * strong : 90 - 22 * strong;
      return `hsl(${grew > 0 ? 8 : 212} ${Math.round(75 * strong)}% ${Math.round(light)}%)`;
    }
    if (PLAIN.test(name)) return `hsl(0 0% ${dark ? 28 : 86}%)`;
    const kind = family(name);
    if (!this.hues.has(kind)) this.hues.set(kind, hash(kind));
    return `hsl(${this.hues.get(kind)} ${dark ? "34% 32%" : "62% 80%"})`;
  }

  matches(node) {
    const name = node.data.name.toLowerCase();
    return this.lit.length > 0 && this.lit.every((word) => name.includes(word));
  }

  // Lights what has all of the words in its name: how many frames, and how much they cost.
  light(words, cost = (node) => node.width) {
    this.lit = words;
    this.chart.search("words");
    this.decorate();
    let sum = 0;
    let frames = 0;
    const queue = [[this.top, false]];
    while (queue.length) {
      const [node, within] = queue.pop();
      if (node.highlight) {
        frames += 1;
        if (!within) sum += cost(node.data);
      }
      for (const each of node.children ?? []) queue.push([each, within || node.highlight]);
    }
    return { frames, sum };
  }

  zoom(node) {
    this.chart.zoomTo(node);
    this.focus(node);
  }

  out(whole = false) {
    const zoomed = this.top.descendants().find((node) => !node.data.fade && !node.data.hide);
    this.zoom(whole ? this.top : zoomed?.parent ?? this.top);
  }

  focus(node = this.current) {
    this.current = node;
    this.decorate();
    this.element(node)?.focus({ preventScroll: true });
  }

  element(node) {
    return select(this.place).selectAll("g.frame").nodes()
      .find((each) => select(each).datum() === node);
  }

  entered(event) {
    const frame = event.target.closest("g.frame");
    if (frame) {
      this.current = select(frame).datum();
      this.say(null);
    }
  }

  key(event) {
    const frame = event.target.closest("g.frame");
    if (!frame || event.ctrlKey || event.metaKey || event.altKey) return;
    const node = select(frame).datum();
    const drawn = new Set(select(this.place).selectAll("g.frame").data());
    const inward = this.upward ? "ArrowUp" : "ArrowDown";
    const outward = this.upward ? "ArrowDown" : "ArrowUp";
    const beside = (step) => {
      const row = (node.parent?.children ?? []).filter((each) => drawn.has(each));
      return row[row.indexOf(node) + step];
    };
    const go = {
      [inward]: () => (node.children ?? []).find((each) => drawn.has(each)),
      [outward]: () => node.parent,
      ArrowLeft: () => beside(-1),
      ArrowRight: () => beside(1),
      Home: () => this.top,
    }[event.key];
    if (go) {
      const to = go();
      if (to) this.focus(to);
    } else if (event.key === "Enter" || event.key === " ") this.zoom(node);
    else if (event.key === "Escape") this.out();
    else if (event.key.toLowerCase() === "s" && this.chosen && node.parent) this.chosen(node.data.name);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

// A hue for a word: the same on every page, and near words far apart.
function hash(word) {
  let number = 2_166_136_261;
  for (const letter of word) number = Math.imul(number ^ letter.codePointAt(0), 16_777_619) >>> 0;
  return number % 360;
}
