import assert from "node:assert/strict";
import { test } from "node:test";
import { endSlopeOf, slopeOf } from "../../bench/growth/fit.ts";
import { drawPicture } from "../../bench/growth/picture.ts";

const pointsOf = (cost: (size: number) => number, sizes = [10, 100, 1000, 10_000]) =>
  sizes.map((x) => ({ x, y: cost(x) }));
const near = (found: number, wanted: number) =>
  assert.ok(Math.abs(found - wanted) < 1e-9, `${found} instead of ${wanted}`);

test("the slope is the power by which cost grows", () => {
  near(slopeOf(pointsOf(() => 5)), 0);
  near(slopeOf(pointsOf((size) => 3 * size)), 1);
  near(slopeOf(pointsOf((size) => 0.1 * size ** 2)), 2);
  near(slopeOf([{ x: 0, y: 7 }, ...pointsOf((size) => 3 * size)]), 1);
});

test("a fixed cost hides the growth of the whole, and hardly that of its end", () => {
  const points = pointsOf((size) => 1000 + size ** 2);
  assert.ok(slopeOf(points) < 1.8);
  assert.ok(endSlopeOf(points) > 1.99);
});

test("a picture shows every point, linear growth as a straight line, and words as text", () => {
  const series = [
    { name: "a <turn> & more", points: pointsOf((size) => size, [10, 100, 1000]) },
    { name: "flat", points: pointsOf(() => 20, [10, 100, 1000]) },
  ];
  const svg = drawPicture({
    title: "Growth",
    input: "messages",
    panels: [{ title: "time", scale: "logarithmic", series, show: (value) => `${value} ms` }],
  });
  assert.equal(svg.match(/<circle/g)?.length, 6);
  assert.match(svg, />a &lt;turn&gt; &amp; more</);
  for (const words of ["1,000", "messages", "time", "100 ms"]) assert.ok(svg.includes(`>${words}<`), words);
  assert.match(svg, /prefers-color-scheme: dark/);
  const [[x0, y0], [x1, y1], [x2, y2]] = /line c0" points="([^"]*)"/
    .exec(svg)![1]!
    .split(" ")
    .map((pair) => pair.split(",").map(Number)) as [number[], number[], number[]];
  assert.ok(Math.abs((y1! - y0!) / (x1! - x0!) - (y2! - y1!) / (x2! - x1!)) < 0.01, "the line bends");
  assert.ok(y2! < y0!, "more is further down");
});

test("size 0 stands left of the others", () => {
  const points = pointsOf((size) => size + 1, [0, 1, 10]);
  const svg = drawPicture({
    title: "t",
    input: "i",
    panels: [{ title: "p", scale: "from zero", series: [{ name: "s", points }], show: String }],
  });
  const places = [...svg.matchAll(/<circle[^>]*cx="([\d.]+)"/g)].map(([, x]) => Number(x));
  assert.deepEqual(
    places,
    places.toSorted((one, other) => one - other),
  );
  assert.equal(new Set(places).size, 3);
  assert.ok(!svg.includes("NaN"), svg);
});
