/** Draws as SVG what something costs over the size of its input, for readers with light and dark screens. */
import type { Point } from "./fit.ts";

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Panel {
  readonly title: string;
  readonly series: readonly Series[];
  /** Logarithmic, with a dotted line that shows growth in proportion, or from 0. */
  readonly scale: "logarithmic" | "from zero";
  /** The text of a value on the vertical scale. */
  readonly show: (value: number) => string;
}

export interface Picture {
  readonly title: string;
  /** What the horizontal scale counts. */
  readonly input: string;
  /** Side by side, of the same series. */
  readonly panels: readonly Panel[];
}

const PANEL = { width: 400, height: 250, left: 66, top: 66, gap: 40 };
const FOOT = 44;
const LEGEND_LINE = 20;
const COLOURS = 3;

const STYLE = `
  svg { --ground: #ffffff; --ink: #1f2328; --faint: #59636e; --rule: #d1d9e0; --c0: #0969da; --c1: #bc4c00; --c2: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #0d1117; --ink: #f0f6fc; --faint: #9198a1; --rule: #3d444d; --c0: #4493f8; --c1: #f0883e; --c2: #3fb950 }
  }
  text { font: 12px system-ui, sans-serif; fill: var(--faint) }
  .title { font-size: 15px; font-weight: 600; fill: var(--ink) }
  .ground { fill: var(--ground) } .rule { stroke: var(--rule) } .linear { stroke: var(--faint); stroke-dasharray: 2 4 }
  .line { fill: none; stroke-width: 2 }
  .c0 { stroke: var(--c0) } .c1 { stroke: var(--c1) } .c2 { stroke: var(--c2) }
  .dot.c0 { fill: var(--c0) } .dot.c1 { fill: var(--c1) } .dot.c2 { fill: var(--c2) }`;

/** The whole file. The values must be above 0; the smallest size may be 0 and stands left of the scale. */
export function drawPicture({ title, input, panels }: Picture): string {
  const names = panels[0]?.series.map(({ name }) => name) ?? [];
  const width = panels.length * (PANEL.left + PANEL.width + PANEL.gap);
  const height = PANEL.top + PANEL.height + FOOT + LEGEND_LINE * names.length;
  const drawn = panels.map((panel, index) => drawPanel(panel, input, index * (PANEL.left + PANEL.width + PANEL.gap)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    text({ x: PANEL.left, y: 26, words: title, className: "title" }),
    ...drawn,
    ...names.map((name, index) =>
      drawLegend(name, index, PANEL.top + PANEL.height + FOOT + LEGEND_LINE * (index + 0.3)),
    ),
    "</svg>\n",
  ].join("\n");
}

function drawPanel({ title, series, show, scale }: Panel, input: string, from: number): string {
  const all = series.flatMap(({ points }) => points);
  const left = from + PANEL.left;
  const bottom = PANEL.top + PANEL.height;
  const x = horizontal(all.map((point) => point.x)).onto(left + 12, left + PANEL.width - 12);
  const vertical = scale === "logarithmic" ? logarithmic(all) : fromZero(all);
  const y = (value: number) => bottom - vertical.part(value) * PANEL.height;
  const sizes = [...new Set(all.map((point) => point.x))];
  return [
    text({ x: left, y: PANEL.top - 14, words: title }),
    ...vertical.ticks.flatMap((value) => [
      `<line class="rule" x1="${left}" x2="${left + PANEL.width}" y1="${round(y(value))}" y2="${round(y(value))}"/>`,
      text({ x: left - 8, y: y(value) + 4, words: show(value), anchor: "end" }),
    ]),
    ...sizes.map((size) => text({ x: x(size), y: bottom + 18, words: size.toLocaleString("en-US"), anchor: "middle" })),
    text({ x: left + PANEL.width / 2, y: bottom + 36, words: input, anchor: "middle" }),
    ...series.flatMap(({ points }, index) => [
      ...(scale === "logarithmic" ? [drawProportion(points, vertical.floor, { x, y })] : []),
      ...drawSeries(points, index, { x, y }),
    ]),
  ].join("\n");
}

interface Scales {
  readonly x: (size: number) => number;
  readonly y: (value: number) => number;
}

function drawSeries(points: readonly Point[], index: number, scales: Scales): string[] {
  const colour = `c${index % COLOURS}`;
  return [
    `<polyline class="line ${colour}" points="${points.map((point) => place(point, scales)).join(" ")}"/>`,
    ...points.map(
      (point) =>
        `<circle class="dot ${colour}" cx="${round(scales.x(point.x))}" cy="${round(scales.y(point.y))}" r="3"/>`,
    ),
  ];
}

/** Growth in proportion through the last point, as far down as the scale and the sizes reach. */
function drawProportion(points: readonly Point[], floor: number, scales: Scales): string {
  const last = points.at(-1);
  if (last === undefined) return "";
  const smallest = Math.min(...points.map(({ x }) => x).filter((size) => size > 0));
  const x = Math.max(smallest, (last.x * floor) / last.y);
  const start = { x, y: (last.y * x) / last.x };
  return `<polyline class="linear" fill="none" points="${place(start, scales)} ${place(last, scales)}"/>`;
}

function place(point: Point, { x, y }: Scales): string {
  return `${round(x(point.x))},${round(y(point.y))}`;
}

function drawLegend(name: string, index: number, y: number): string {
  const line = `<line class="line c${index % COLOURS}" x1="${PANEL.left}" x2="${PANEL.left + 22}" y1="${y}" y2="${y}"/>`;
  return `${line}\n${text({ x: PANEL.left + 30, y: y + 4, words: name })}`;
}

/** A logarithmic scale; 0 stands half a decade left of the smallest other size. */
function horizontal(sizes: readonly number[]) {
  const positive = sizes.filter((size) => size > 0).map(Math.log10);
  const [low, high] = [Math.min(...positive), Math.max(...positive)];
  const start = sizes.includes(0) ? low - 0.5 : low;
  return {
    onto: (from: number, to: number) => (size: number) =>
      from + (((size > 0 ? Math.log10(size) : start) - start) / (high - start || 1)) * (to - from),
  };
}

interface VerticalScale {
  readonly ticks: readonly number[];
  /** The value at the bottom. */
  readonly floor: number;
  /** How far up a value is, from 0 to 1. */
  readonly part: (value: number) => number;
}

/** Whole powers of ten around the values; with few of them, also 2 and 5 times each. */
function logarithmic(points: readonly Point[]): VerticalScale {
  const values = points.map(({ y }) => y);
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(Math.ceil(Math.log10(Math.max(...values))), low + 1);
  const steps = high - low > 2 ? [1] : [1, 2, 5];
  const powers = Array.from({ length: high - low }, (_, index) => 10 ** (low + index));
  return {
    ticks: [...powers.flatMap((power) => steps.map((step) => step * power)), 10 ** high],
    floor: 10 ** low,
    part: (value) => (Math.log10(value) - low) / (high - low),
  };
}

/** From 0 to a round number above the values, in a few equal steps. */
function fromZero(points: readonly Point[]): VerticalScale {
  const most = Math.max(...points.map(({ y }) => y));
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [0.2, 0.5, 1, 2].map((part) => part * power).find((size) => most / size <= 6) ?? 2 * power;
  const count = Math.ceil(most / step);
  return {
    ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
    floor: 0,
    part: (value) => value / (count * step),
  };
}

interface Words {
  readonly x: number;
  readonly y: number;
  readonly words: string;
  readonly anchor?: "middle" | "end";
  readonly className?: string;
}

function text({ x, y, words, anchor, className }: Words): string {
  const attributes = [anchor && ` text-anchor="${anchor}"`, className && ` class="${className}"`].filter(Boolean);
  return `<text x="${round(x)}" y="${round(y)}"${attributes.join("")}>${escape(words)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
