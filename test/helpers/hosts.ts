/** `test/fixtures/programs/hosts-a-home.ts` as a child: a host that fires events without a pause. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { until } from "./poll.ts";
import { ROOT, type Home } from "./hermes.ts";

const PROGRAM = join(ROOT, "test/fixtures/programs/hosts-a-home.ts");

/** A line that the program says. */
interface Line {
  readonly ready?: number;
  readonly reloaded?: number;
  readonly fired?: number;
  readonly delivered?: string;
}

export class RunningHost {
  readonly child: ChildProcess;
  stderr = "";
  #stdout = "";
  readonly #ended: Promise<number | null>;

  constructor(t: TestContext, home: Home, args: readonly string[]) {
    this.child = spawn(process.execPath, [PROGRAM, ...args], { env: home.env(), cwd: home.work });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.#ended = new Promise((resolve) => this.child.once("close", resolve));
    t.after(async () => {
      this.child.kill("SIGKILL");
      await this.#ended;
    });
  }

  lines(): readonly Line[] {
    const text = this.#stdout.slice(0, this.#stdout.lastIndexOf("\n") + 1);
    return text
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Line);
  }

  async ready(): Promise<this> {
    const isReady = () => this.lines().some(({ ready }) => ready !== undefined);
    await until(isReady, "the program is ready", { seen: () => this.stderr });
    return this;
  }

  /** Ends the program; gives the number of events that it fired. */
  async end(): Promise<number> {
    this.child.stdin!.end();
    assert.equal(await this.#ended, 0, this.stderr);
    return this.lines().at(-1)!.fired!;
  }
}

/** Starts it; resolves when it is ready. `args` are those that the program names. */
export const startHost = (t: TestContext, home: Home, args: readonly string[] = []): Promise<RunningHost> =>
  new RunningHost(t, home, args).ready();
