/** How cost grows with its input, as a power of it: 0 is not at all, 1 in proportion, 2 with its square. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * The slope of the straight line that fits the points best on logarithmic scales. Points with x = 0 have no place there
 * and are left out; NaN for fewer than two others.
 */
export function slopeOf(points: readonly Point[]): number {
  const logs = points.filter(({ x, y }) => x > 0 && y > 0).map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }));
  const mean = (of: "x" | "y") => logs.reduce((sum, point) => sum + point[of], 0) / logs.length;
  const [x0, y0] = [mean("x"), mean("y")];
  const both = logs.reduce((sum, { x, y }) => sum + (x - x0) * (y - y0), 0);
  const spread = logs.reduce((sum, { x }) => sum + (x - x0) ** 2, 0);
  return both / spread;
}

/** The slope over the last decade of inputs, where a fixed cost hides least. */
export function endSlopeOf(points: readonly Point[]): number {
  const largest = Math.max(...points.map(({ x }) => x));
  return slopeOf(points.filter(({ x }) => x >= largest / 10));
}
