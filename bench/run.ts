/** `npm run bench`: runs the cases and prints one table. See bench/README.md. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { BUDGETS, type Budget } from "./budgets.ts";
import type { Case, CaseOptions, Measurement } from "./measure.ts";

/** Loaded one by one, so that a case does not affect the next one's memory and start. */
const CASES: Readonly<Record<string, () => Promise<Case>>> = {
  dispatch: async () => (await import("./cases/dispatch.ts")).dispatchCase,
  emit: async () => (await import("./cases/emit.ts")).emitCase,
  forward: async () => (await import("./cases/forward.ts")).forwardCase,
  "forward-latency": async () => (await import("./cases/forward-latency.ts")).forwardLatencyCase,
  nats: async () => (await import("./cases/nats.ts")).natsCase,
  "silent-event": async () => (await import("./cases/silent-event.ts")).silentEventCase,
  replay: async () => (await import("./cases/replay.ts")).replayCase,
  postgres: async () => (await import("./cases/postgres.ts")).postgresCase,
  "shell-hook": async () => (await import("./cases/shell-hook.ts")).shellHookCase,
  "coprocess-hook": async () => (await import("./cases/coprocess-hook.ts")).coprocessHookCase,
  "command-sandbox": async () => (await import("./cases/command-sandbox.ts")).commandSandboxCase,
  "pinned-consent": async () => (await import("./cases/pinned-consent.ts")).pinnedConsentCase,
  "worker-hook": async () => (await import("./cases/worker-hook.ts")).workerHookCase,
  "isolate-hook": async () => (await import("./cases/isolate-hook.ts")).isolateHookCase,
  "python-handler": async () => (await import("./cases/python-handler.ts")).pythonHandlerCase,
  "python-start": async () => (await import("./cases/python-handler.ts")).pythonStartCase,
  monitoring: async () => (await import("./cases/monitoring.ts")).monitoringCase,
  tasks: async () => (await import("./cases/tasks.ts")).tasksCase,
  webhooks: async () => (await import("./cases/webhooks.ts")).webhooksCase,
  daemon: async () => (await import("./cases/daemon.ts")).daemonCase,
  inbound: async () => (await import("./cases/inbound.ts")).inboundCase,
  "cold-start": async () => (await import("./cases/cold-start.ts")).coldStartCase,
  memory: async () => (await import("./cases/memory.ts")).memoryCase,
  platforms: async () => (await import("./cases/platforms.ts")).platformsCase,
  "mcp-call": async () => (await import("./cases/mcp-call.ts")).mcpCallCase,
  turn: async () => (await import("./cases/turn.ts")).turnCase,
  soak: async () => (await import("./cases/soak.ts")).soakCase,
  scaling: async () => (await import("./cases/scaling.ts")).scalingCase,
  growth: async () => (await import("./cases/growth.ts")).growthCase,
};

/** They take minutes, so they only run when named. */
const ONLY_BY_NAME = ["soak", "growth", "scaling"];

/** They measure memory only and mostly wait, so they run at the same time. */
const TOGETHER = new Set(["memory", "platforms"]);

const USAGE = `Usage: npm run bench -- [--only CASE]… [--check] [--json FILE] [--dashboard stand-in|hermes] [--seconds N]
  --only CASE  run this case (${Object.keys(CASES).join(", ")}); repeatable
  --check      exit with 1 if a measurement is worse than its floor in bench/budgets.ts
  --json FILE  also write the measurements as JSON
  --dashboard  forward events to a stand-in (the default) or to the real dashboard
  --seconds N  length of the soak; then the dashboard is stopped for a third of that (default: 60)
${ONLY_BY_NAME.join(" and ")} only run when named.`;

interface Row extends Measurement {
  readonly ratio: number | null;
  readonly budget: Budget | undefined;
  readonly met: boolean | null;
  readonly passed: boolean;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      check: { type: "boolean" },
      json: { type: "string" },
      dashboard: { type: "string", default: "stand-in" },
      seconds: { type: "string", default: "60" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return print(USAGE);
  const { dashboard } = values;
  if (dashboard !== "stand-in" && dashboard !== "hermes")
    throw new Error(`there is no dashboard "${dashboard}"\n${USAGE}`);
  const seconds = Number(values.seconds);
  if (!(seconds >= 1)) throw new Error(`--seconds takes a number from 1\n${USAGE}`);
  const names = values.only ?? Object.keys(CASES).filter((name) => !ONLY_BY_NAME.includes(name));
  const unknown = names.find((name) => !Object.hasOwn(CASES, name));
  if (unknown !== undefined) throw new Error(`there is no case "${unknown}"\n${USAGE}`);

  const rows: Row[] = [];
  for (const group of grouped(names)) {
    process.stderr.write(`${group.join(", ")} … `);
    const started = performance.now();
    const cases = await Promise.all(group.map((name) => CASES[name]!()));
    const options: CaseOptions = { dashboard, seconds, isQuick: values.check === true };
    const measured = await Promise.all(cases.map(({ run }) => run(options)));
    rows.push(...measured.flat().map(judge));
    process.stderr.write(`${((performance.now() - started) / 1000).toFixed(0)} s\n`);
  }
  print(table(rows));
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ node: process.version, rows }, null, 2)}\n`);
  const failed = rows.filter(({ passed }) => !passed);
  if (values.check && failed.length > 0) {
    process.stderr.write(`worse than the floor: ${failed.map(({ name }) => name).join("; ")}\n`);
    process.exitCode = 1;
  }
}

/** Which cases run at the same time, in their order. */
function grouped(names: readonly string[]): readonly (readonly string[])[] {
  const together = names.filter((name) => TOGETHER.has(name));
  return names
    .filter((name) => !TOGETHER.has(name) || name === together[0])
    .map((name) => (name === together[0] ? together : [name]));
}

function judge(measurement: Measurement): Row {
  const { name, ours, theirs } = measurement;
  const budget = BUDGETS[name];
  const ratio = theirs === null ? null : budget?.kind === "slower" ? ours / theirs : theirs / ours;
  if (budget === undefined) return { ...measurement, ratio, budget, met: null, passed: true };
  const figure = budget.kind === "absolute" ? ours : (ratio ?? Number.NaN);
  const reaches = (limit: number) => (budget.kind === "faster" ? figure >= limit : figure <= limit);
  return { ...measurement, ratio, budget, met: reaches(budget.target), passed: reaches(budget.floor) };
}

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ name, unit, ours, peer, theirs, ratio, budget, met }) => [
    name,
    `${show(ours)} ${unit}`,
    peer === null ? "" : `${peer} ${show(theirs ?? Number.NaN)} ${unit}`,
    ratio === null ? "" : `${ratio.toFixed(2)} ×`,
    budget === undefined ? "" : goal(budget, unit),
    met === null ? "" : met ? "yes" : "no",
  ]);
  const header = ["case", "ours", "peer", "ratio", "target", "met"];
  const widths = header.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join("\n");
}

function goal({ kind, target }: Budget, unit: string): string {
  if (kind === "absolute") return `≤ ${target} ${unit}`;
  return kind === "faster" ? `≥ ${target} × faster` : `≤ ${target} ×`;
}

function show(value: number): string {
  return value >= 100
    ? value.toFixed(0)
    : Math.abs(value) >= 10
      ? value.toFixed(1)
      : Number(value.toPrecision(2)).toString();
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

await main();
