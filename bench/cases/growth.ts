import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { endSlopeOf, slopeOf } from "../growth/fit.ts";
import { drawPicture, type Series } from "../growth/picture.ts";
import type { Figure, Topic } from "../growth/topic.ts";
import { TOPICS } from "../growth/topics.ts";
import type { Case, Measurement } from "../measure.ts";

const POINT = resolve(import.meta.dirname, "../growth/point.ts");
const PICTURES = resolve(import.meta.dirname, "../pictures");
const run = promisify(execFile);

interface MeasuredLine {
  readonly name: string;
  /** In the order of the topic's sizes. */
  readonly figures: readonly Figure[];
}

/** One process for each point, one after another, since each measures its own memory. */
async function measure(key: string, { lines, sizes }: Topic): Promise<readonly MeasuredLine[]> {
  const measured: MeasuredLine[] = [];
  for (const [index, { name }] of lines.entries()) {
    const figures: Figure[] = [];
    for (const size of sizes) {
      const { stdout } = await run(process.execPath, [POINT, key, String(index), String(size)]);
      figures.push(JSON.parse(stdout) as Figure);
    }
    measured.push({ name, figures });
  }
  return measured;
}

function draw(key: string, topic: Topic, measured: readonly MeasuredLine[]): void {
  const { title, input, sizes } = topic;
  const seriesOf = (value: (figure: Figure) => number): Series[] =>
    measured.map(({ name, figures }) => ({
      name,
      points: figures.map((figure, index) => ({ x: sizes[index]!, y: value(figure) })),
    }));
  const picture = drawPicture({
    title,
    input,
    panels: [
      { title: "processor time", scale: "logarithmic", series: seriesOf(({ ms }) => ms), show: showTime },
      {
        title: "resident memory",
        scale: "from zero",
        series: seriesOf(({ megabytes }) => megabytes),
        show: (value) => `${value} MB`,
      },
    ],
  });
  mkdirSync(PICTURES, { recursive: true });
  writeFileSync(join(PICTURES, `growth-${key}.svg`), picture);
}

function showTime(ms: number): string {
  const [value, unit] = ms >= 1000 ? [ms / 1000, "s"] : ms >= 1 ? [ms, "ms"] : [ms * 1000, "µs"];
  return `${Number(value.toPrecision(2))} ${unit}`;
}

/** The cost at the largest size, and how it got there. */
function summarise(key: string, { sizes, input }: Topic, { name, figures }: MeasuredLine): Measurement[] {
  const points = figures.map(({ ms }, index) => ({ x: sizes[index]!, y: ms }));
  const { ms, megabytes } = figures.at(-1)!;
  const what = `growth / ${key}, ${name}`;
  const alone = { peer: null, theirs: null };
  return [
    { name: `${what}, ${sizes.at(-1)!.toLocaleString("en-US")} ${input}`, unit: "ms", ours: ms, ...alone },
    { name: `${what}, memory`, unit: "MB", ours: megabytes, ...alone },
    { name: `${what}, slope`, unit: "slope", ours: slopeOf(points), ...alone },
    { name: `${what}, slope at the end`, unit: "slope", ours: endSlopeOf(points), ...alone },
  ];
}

/** How cost grows with what there is more and more of. Writes a picture for each topic to bench/pictures/. */
export const growthCase: Case = {
  name: "growth",
  run: async () => {
    const measurements: Measurement[] = [];
    for (const [key, load] of Object.entries(TOPICS)) {
      process.stderr.write(`  ${key} …\n`);
      const topic = await load();
      const measured = await measure(key, topic);
      draw(key, topic, measured);
      measurements.push(...measured.flatMap((line) => summarise(key, topic, line)));
    }
    return measurements;
  },
};
