/**
 * The runner behind `npm test`, `test:unit`, `test:process` and `test:long`: `node test/run.ts [unit|process|long] [path or option…]`.
 * A path narrows the choice to the files under it; `--test-name-pattern=…` is for node:test, other options are for node.
 * Unit tests (`x.test.ts`) share one process; `x.process.test.ts` and `x.long.test.ts` get one each.
 * `long` also runs the unit tests, in a shuffled order, to find tests that depend on others. It prints the seed of that
 * order; `--seed=N` repeats it, and shuffles the other suites. With HERMES_DATABASE_URL, each home of a test keeps its
 * tasks, deliveries, inboxes and schedules in a schema of its own in that PostgreSQL database.
 */
import { randomInt } from "node:crypto";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";

type Suite = "all" | "unit" | "process" | "long";

interface Request {
  readonly suite: Suite;
  readonly paths: readonly string[];
  readonly namePatterns: readonly string[];
  readonly nodeOptions: readonly string[];
  /** Of the order of files and tests; undefined for that of the files' names and the tests' lines. */
  readonly seed: number | undefined;
}

/** What node:test's `test:summary` event counts. */
interface Counts {
  readonly tests: number;
  readonly suites: number;
  readonly passed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly skipped: number;
  readonly todo: number;
}

const root = resolve(import.meta.dirname, "..");
/**
 * How long one test may take before node:test fails it by name, and how long one test process may live (all unit tests
 * share one) before it is killed: what a machine with a fifth of the usual speed needs.
 */
const LIMITS = { testMs: 240_000, processMs: 900_000 } as const;
const LONG_LIMITS = { testMs: 1_200_000, processMs: 1_800_000 } as const;
/** Test processes at a time: a few more than there are processors, for when they wait for something. */
const MOST_AT_ONCE = 8;
const NAME_PATTERN = "--test-name-pattern=";
const SEED = "--seed=";

await main(parse(process.argv.slice(2)));

async function main(request: Request): Promise<void> {
  const files = choose(request);
  if (files.length === 0) {
    process.stderr.write(`No test file matches ${request.paths.join(" ") || request.suite}.\n`);
    process.exitCode = 1;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "hermes-test-"));
  const processes = join(folder, "processes");
  mkdirSync(processes);
  const watch = setInterval(() => killOverdue(processes, limitsOf(request.suite).processMs), 1000);
  try {
    await runFiles(files, request, { ...cleanEnvironment(join(folder, "home")), HERMES_TEST_PROCESSES: processes });
  } finally {
    clearInterval(watch);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runFiles(files: readonly string[], request: Request, env: NodeJS.ProcessEnv): Promise<void> {
  const units = files.filter(isUnit);
  const events = run({
    cwd: root,
    files: [...(units.length > 0 ? [join(import.meta.dirname, "units.ts")] : []), ...files.filter((f) => !isUnit(f))],
    concurrency: request.suite === "long" ? 1 : Math.min(MOST_AT_ONCE, availableParallelism() + 2),
    timeout: limitsOf(request.suite).testMs,
    testNamePatterns: [...request.namePatterns],
    ...(request.seed === undefined ? {} : { randomSeed: request.seed }),
    execArgv: ["--import", pathToFileURL(join(import.meta.dirname, "watched.ts")).href, ...request.nodeOptions],
    env: { ...env, HERMES_TEST_UNITS: JSON.stringify(units) },
  });
  let totals: string[] = ["tests 0", "pass 0", "fail 1"];
  const started = performance.now();
  const withoutTotals = new Transform({
    objectMode: true,
    transform(event: { type: string; data: { file?: string; nesting?: number; message?: string } }, _encoding, done) {
      if (event.type === "test:summary" && event.data.file === undefined) {
        const { counts } = event.data as unknown as { counts: Counts };
        totals = totalsOf(counts, performance.now() - started);
      }
      if (event.type === "test:fail" && !("todo" in event.data && event.data.todo !== undefined)) process.exitCode = 1;
      const isTotal = event.type === "test:diagnostic" && event.data.nesting === 0 && isTotalsLine(event.data.message);
      done(null, isTotal ? undefined : event);
    },
  });
  await pipeline(events, withoutTotals, new spec(), process.stdout, { end: false });
  if (request.seed !== undefined) process.stdout.write(`ℹ shuffled; --seed=${request.seed} repeats the order\n`);
  // The totals come last, below the failures, so that they are the last thing a person or a script sees.
  process.stdout.write(totals.map((line) => `ℹ ${line}\n`).join(""));
}

function limitsOf(suite: Suite): { readonly testMs: number; readonly processMs: number } {
  return suite === "long" ? LONG_LIMITS : LIMITS;
}

/** Kills the test processes that are older than the limit; `test/watched.ts` left one file a process. */
function killOverdue(processes: string, limitMs: number): void {
  for (const pid of readdirSync(processes)) {
    const file = join(processes, pid);
    const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age < limitMs) continue;
    process.stderr.write(`${readFileSync(file, "utf8")} still ran after ${limitMs / 1000} s and was ended.\n`);
    rmSync(file, { force: true });
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It ended by itself in the meantime.
    }
  }
}

function totalsOf(counts: Counts, durationMs: number): string[] {
  if (counts.failed > 0 || counts.cancelled > 0) process.exitCode = 1;
  return [
    `tests ${counts.tests}`,
    `suites ${counts.suites}`,
    `pass ${counts.passed}`,
    `fail ${counts.failed}`,
    `cancelled ${counts.cancelled}`,
    `skipped ${counts.skipped}`,
    `todo ${counts.todo}`,
    `duration_ms ${durationMs.toFixed(0)}`,
  ];
}

function isTotalsLine(message = ""): boolean {
  return /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms|Randomized test order seed:) [\d.]+$/.test(
    message,
  );
}

function parse(args: readonly string[]): Request {
  const suites = new Set(["unit", "process", "long"]);
  const [first = "", ...rest] = args;
  const others = suites.has(first) ? rest : args;
  const options = others.filter((word) => word.startsWith("-"));
  const suite = suites.has(first) ? (first as Suite) : "all";
  return {
    suite,
    paths: others.filter((word) => !word.startsWith("-")),
    namePatterns: options
      .filter((word) => word.startsWith(NAME_PATTERN))
      .map((word) => word.slice(NAME_PATTERN.length)),
    nodeOptions: options.filter((word) => !word.startsWith(NAME_PATTERN) && !word.startsWith(SEED)),
    seed: seedOf(
      suite,
      options.findLast((word) => word.startsWith(SEED)),
    ),
  };
}

/** The seed that an option names; without one, any for the long suite. */
function seedOf(suite: Suite, option: string | undefined): number | undefined {
  if (option === undefined) return suite === "long" ? randomInt(2 ** 32) : undefined;
  const seed = Number(option.slice(SEED.length));
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) throw new RangeError(`${option} is no seed`);
  return seed;
}

/** The absolute paths of the files to run. A file that is named itself runs whatever its suite. */
function choose({ suite, paths }: Request): string[] {
  const wanted = paths.map((path) => resolve(path));
  return globSync("test/**/*.test.ts", { cwd: root, exclude: ["test/fixtures/**"] })
    .map((path) => resolve(root, path))
    .filter((file) => wanted.length === 0 || wanted.some((path) => file === path || file.startsWith(`${path}/`)))
    .filter((file) => wanted.includes(file) || suiteOf(file, suite))
    .toSorted();
}

function suiteOf(file: string, suite: Suite): boolean {
  if (suite === "all") return !file.endsWith(".long.test.ts");
  if (suite !== "process" && isUnit(file)) return true;
  return file.endsWith(`.${suite}.test.ts`);
}

function isUnit(file: string): boolean {
  return !/\.(process|long)\.test\.ts$/.test(relative(root, file));
}

/**
 * The environment of the tests: nothing of the person's own hermes, no key of a real model. What one process compiled
 * the others need not: stripping types would take a quarter of the time of all tests.
 */
function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^HERMES_|^(OPENAI|ANTHROPIC|OPENROUTER)_/.test(name));
  const cache = join(root, "node_modules/.cache/hermes-tests");
  const { HERMES_DATABASE_URL: url = "" } = process.env;
  return { ...Object.fromEntries(kept), HERMES_HOME: home, NODE_COMPILE_CACHE: cache, HERMES_TEST_DATABASE: url };
}
