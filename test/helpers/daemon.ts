/** The real `hermes run --daemon`, started in a home of its own. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { InboxMessage } from "#core/ports/inbox";
import { framesOf, type Home, type Running, type StartOptions } from "./hermes.ts";
import { runInProcess } from "./in-process.ts";
import { until } from "./poll.ts";

export interface DaemonOptions extends StartOptions {
  readonly name?: string;
  /** Written to `config.yaml` unless there is one. */
  readonly config?: object;
  readonly args?: readonly string[];
}

export interface Daemon extends Running {
  readonly name: string;
  /** The lines of standard output so far, each a frame. */
  frames(): Record<string, unknown>[];
  /** The text of each message that has begun its turn, or entered one. */
  injected(): string[];
  /** Resolves when so many turns have ended. */
  turns(count: number): Promise<void>;
}

type Cleanup = { after(fn: () => unknown): void };

/** Resolves when it runs; it is killed after the test. */
export async function startDaemon(t: Cleanup, home: Home, options: DaemonOptions = {}): Promise<Daemon> {
  const { name = "watcher", config = { model: { provider: "offline" } }, args = [], ...start } = options;
  if (!home.has("config.yaml")) home.write("config.yaml", stringify(config));
  const running = home.start(["run", "--daemon", "--name", name, "--format", "jsonl", ...args], start);
  t.after(async () => {
    running.kill("SIGKILL");
    await running.ended;
  });
  await running.sees("is running. Press Ctrl+C");
  const frames = () => framesOf({ stdout: running.stdout().slice(0, running.stdout().lastIndexOf("\n") + 1) });
  const ended = () => frames().filter(({ type }) => type === "result").length;
  return {
    ...running,
    name,
    frames,
    injected: () => frames().flatMap((frame) => (frame["type"] === "injected" ? String(frame["content"]) : [])),
    async turns(count) {
      await until(() => ended() >= count, `${count} turns have ended`, { seen: () => running.stdout() });
    },
  };
}

/** Sends a message; gives its id. */
export async function send(home: Home, name: string, text: string): Promise<string> {
  const { code, stdout, stderr } = await runInProcess(home, ["send", "--name", name, "--", text]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^[a-z0-9]{16}\n$/);
  return stdout.trim();
}

/** The messages of a daemon, oldest first. */
export async function messagesOf(home: Home, name: string): Promise<readonly InboxMessage[]> {
  const { code, stdout, stderr } = await runInProcess(home, ["inbox", "list", "--name", name, "--json"]);
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { messages: InboxMessage[] }).messages;
}

export interface Gate {
  /** A message whose turn waits until the gate is open. */
  readonly message: string;
  /** Resolves when the turn waits there. */
  entered(): Promise<void>;
  open(): void;
}

/** A turn that a test holds: its command waits for a file. */
export function gate(home: Home, name: string): Gate {
  mkdirSync(home.work, { recursive: true });
  const [entered, opened] = [join(home.work, `${name}-entered`), join(home.work, `${name}-open`)];
  return {
    message: `run \`touch ${name}-entered; until [ -e ${name}-open ]; do sleep 0.02; done\``,
    async entered() {
      await until(() => existsSync(entered), `the turn of ${name} runs`);
    },
    open: () => writeFileSync(opened, ""),
  };
}
