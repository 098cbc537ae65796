/** Handlers that misbehave, in real threads: what each comes to, and that nothing else notices. */
import test, { before } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { ROOT } from "../../helpers/hermes.ts";

const HANDLERS = join(ROOT, "test/fixtures/handlers");

interface Result {
  /** Of the misbehaviour and of the next command. */
  readonly decisions: readonly [readonly unknown[], readonly unknown[]];
  /** Of both, and of an event. */
  readonly runs: readonly { readonly outcome: string; readonly detail: string | null }[];
  readonly lines: readonly string[];
}

interface Report {
  readonly pidBefore: number;
  readonly pidAfter: number;
  readonly results: Readonly<Record<string, Result>>;
}

let child: { code: number | null; pid: number | undefined; stdout: string; stderr: string; report: Report };

before(async () => {
  const scratch = mkdtempSync(join(tmpdir(), "hermes-handlers-"));
  const program = join(ROOT, "test/fixtures/programs/hosts-handlers.ts");
  const started = spawn(process.execPath, [program, HANDLERS, scratch], { stdio: ["ignore", "pipe", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => void started.once("close", resolve));
  const [stdout, stderr, report] = await Promise.all([
    text(started.stdout as Readable),
    text(started.stderr as Readable),
    text(started.stdio[3] as Readable),
  ]);
  const code = await ended;
  rmSync(scratch, { recursive: true, force: true });
  assert.notEqual(report, "", `the host died with ${code}: ${stderr}`);
  child = { code, pid: started.pid, stdout, stderr, report: JSON.parse(report) as Report };
});

interface Expectation {
  /** How the misbehaviour ended, and what the record says of it. */
  readonly outcome: string;
  readonly detail: RegExp | null;
  /** How the next events end; `skip` and `pass` when absent, that is: as if nothing had been. */
  readonly next?: readonly [string, string];
  /** The first decision; none when absent. */
  readonly decision?: unknown;
  /** Lines of the log, as they must be. */
  readonly lines?: readonly RegExp[];
}

const failed = (problem: RegExp): Expectation => ({
  outcome: "error",
  detail: new RegExp(`^gateway hook "[\\w-]+" failed at command:x: ${problem.source}`),
});
const died = (problem: RegExp): Expectation => ({
  outcome: "error",
  detail: new RegExp(`^gateway hook "[\\w-]+" ended its thread or process at command:x: ${problem.source}`),
});
const TIMED_OUT: Expectation = { outcome: "timeout", detail: /did not finish within 3 s at command:x and was stopped/ };
const NOT_LOADED: Expectation = {
  outcome: "timeout",
  detail: /did not finish within 10 s at command:x and was stopped/,
  next: ["timeout", "timeout"],
};
const unusable = (problem: RegExp): Expectation => ({
  outcome: "error",
  detail: new RegExp(`cannot be used: /.*handler\\.ts: ${problem.source}`),
  next: ["error", "error"],
});
const answers = (message: string, lines: readonly RegExp[] = []): Expectation => ({
  outcome: "skip",
  detail: null,
  decision: { decision: "handled", message },
  lines,
});
const OUT_OF_MEMORY = died(/it used \d+ MB \(memory_mb is 32\)/);

const EXPECTED: Readonly<Record<string, Expectation>> = {
  "bad-syntax": unusable(/.* \(handler\.ts:2\)/),
  exits: died(/process\.exit was called \(0\)/),
  "exports-no-handle": unusable(/it does not export a function "handle", only handler/),
  "grows-a-map": OUT_OF_MEMORY,
  "grows-an-array": OUT_OF_MEMORY,
  "grows-buffers": OUT_OF_MEMORY,
  "imports-its-neighbour": failed(/thrown on purpose/),
  "imports-node-fs": { ...answers("true"), next: ["skip", "pass"] },
  "imports-node-fs-later": answers("true"),
  "leaves-a-rejection": answers("answered", [
    /error gateway hook "leaves-a-rejection" left an unhandled rejection: left behind/,
  ]),
  loops: TIMED_OUT,
  "loops-after-await": { ...TIMED_OUT, lines: [/HOOK\.yaml:9: allow has no effect: a handler can do/] },
  "loops-at-top-level": NOT_LOADED,
  // Each turn leaves a promise behind.
  "loops-in-microtasks": OUT_OF_MEMORY,
  "never-settles": TIMED_OUT,
  "prints-json": {
    outcome: "pass",
    detail: null,
    lines: [
      /^info prints-json: \{"decision":"deny","message":"printed by console\.log"\}$/,
      /^error prints-json: \{"decision":"deny","message":"printed by console\.error"\}$/,
      /^info prints-json: \{"decision":"deny","message":"written to stdout"\}$/,
      /^warn prints-json: \{"decision":"deny","message":"written to stderr"\}$/,
    ],
  },
  recurses: failed(/Maximum call stack size exceeded/),
  "rejects-at-once": failed(/rejected at once \(handler\.ts:3\)$/),
  "replaces-prototypes": answers("replaced"),
  "returns-a-bigint": failed(/it returned a value that JSON cannot represent: .*BigInt/),
  "returns-a-circle": failed(/it returned a value that JSON cannot represent: Converting circular structure to JSON$/),
  "returns-a-function": failed(/it returned a function, which is not plain data$/),
  "returns-a-huge-text": failed(/it returned 50000035 characters of JSON$/),
  "returns-a-proxy": failed(/trapped \(handler\.ts:4\)$/),
  "returns-a-symbol": failed(/it returned a symbol, which is not plain data$/),
  "returns-hostile-json": failed(/it returned a value that JSON cannot represent: no JSON of me/),
  "returns-throwing-getters": failed(/do not look \(handler\.ts:4\)$/),
  throws: failed(/thrown on purpose \(handler\.ts:3\)$/),
  "throws-a-string": failed(/a bare string$/),
  "throws-at-top-level": unusable(/thrown while loaded \(handler\.ts:1\)/),
  "throws-hostile-getters": failed(/a value that cannot be shown$/),
  "throws-later": answers("answered", [
    /error gateway hook "throws-later" threw outside its calls: thrown later \(handler\.ts:4\)/,
  ]),
  "throws-null": failed(/null$/),
  "waits-at-top-level": NOT_LOADED,
};

test("the host has lived through all of them", () => {
  const { report, code, pid, stdout, stderr } = child;
  assert.equal(report.pidBefore, pid);
  assert.equal(report.pidAfter, pid);
  assert.equal(code, 0);
  assert.equal(stdout, "");
  assert.equal(stderr, "");
});

test("every fixture is expected to come to something", () => {
  assert.deepEqual(Object.keys(EXPECTED).toSorted(), readdirSync(HANDLERS).toSorted());
});

const FINE = { decision: "handled", message: "fine" };

for (const [name, { outcome, detail, next = ["skip", "pass"], decision, lines = [] }] of Object.entries(EXPECTED)) {
  test(`${name}: ${outcome}, then ${next.join(" and ")}`, () => {
    const result = child.report.results[name]!;
    const [first, second, third] = result.runs;
    assert.match(first!.outcome, new RegExp(`^${outcome}$`));
    if (detail === null) assert.equal(first!.detail, null);
    else assert.match(first!.detail!, detail);
    assert.deepEqual(result.decisions[0], decision === undefined ? [] : [decision]);
    assert.deepEqual([second!.outcome, third!.outcome], next, JSON.stringify(result));
    if (next[0] === "skip" && name !== "imports-node-fs") assert.deepEqual(result.decisions[1], [FINE]);
    assert.equal(result.runs.length, 3);
    for (const line of lines)
      assert.ok(
        result.lines.some((one) => line.test(one)),
        `${line} in ${result.lines.join("\n")}`,
      );
    if (lines.length === 0) assert.deepEqual(result.lines, []);
  });
}
