/** What several processes do to one allowlist, and one to a script; for the quick tests and for the long ones. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { openApprovals } from "#allowlist/approvals";
import { takeScriptFingerprint } from "#allowlist/fingerprint";
import { recordApprovals } from "#allowlist/record";
import { addApprovals, readAllowlist } from "#allowlist/store";
import { HookDispatcher } from "#core/dispatch";
import { EVENTS } from "#core/events";
import { parseHookEntries } from "#sandbox/shell/entries";
import { createShellHook } from "#sandbox/shell/hook";
import { until } from "../helpers/poll.ts";
import { plain } from "../helpers/requests.ts";

const PROGRAMS = resolve(import.meta.dirname, "../fixtures/programs");

export function makeFolder(context: TestContext): { folder: string; file: string } {
  const folder = mkdtempSync(join(tmpdir(), "hermes-contention-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, file: join(folder, "home", "shell-hooks-allowlist.json") };
}

export function startProgram(context: TestContext, name: string, ...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [join(PROGRAMS, name), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  context.after(() => child.kill("SIGKILL"));
  return child;
}

/**
 * A holder of the lock whose process is blocked until another one has approved, which waits until the lock is stale, and
 * for at least `ms`.
 */
export async function blockHolder(context: TestContext, ms: number): Promise<void> {
  const { folder, file } = makeFolder(context);
  await addApprovals(file, [{ event: "pre_tool_call", command: "first" }]);
  const sentinel = join(folder, "blocked");
  const holder = startProgram(context, "blocks-in-lock.ts", file, "blocked", String(ms), sentinel);
  const ended = new Promise((end) => holder.once("exit", end));
  await until(() => existsSync(sentinel), "the holder has the lock");
  for (const command of ["second", "third"]) {
    assert.equal(await addApprovals(file, [{ event: "pre_tool_call", command }]), 1);
  }
  const commands = () =>
    readAllowlist(file)
      .approvals.map(({ command }) => command)
      .toSorted();
  assert.deepEqual(commands(), ["first", "second", "third"], "the holder was overtaken");
  writeFileSync(`${sentinel}.release`, "");
  assert.equal(await ended, 0);
  assert.deepEqual(
    commands(),
    ["blocked", "first", "second", "third"],
    "it noticed, did it again, and nothing is lost",
  );
  assert.equal(existsSync(`${file}.lock`), false);
}

/** Fires a pinned hook while another process swaps its script all the time. */
export async function swapScript(context: TestContext, tries: number): Promise<void> {
  const { folder, file } = makeFolder(context);
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return path;
  };
  const evidence = join(folder, "unapproved-bytes-ran");
  const good = `#!/bin/sh\ncat >/dev/null; echo '{"action":"block","message":"approved"}'\n`;
  const script = write("guard.sh", good);
  const place = { cwd: folder, env: process.env };
  const request = plain({ event: "pre_tool_call", command: script });
  const approved = {
    request,
    argv: [script],
    script: takeScriptFingerprint([script], place),
    by: "command",
    renew: false,
  } as const;
  await recordApprovals(file, [approved], { mode: "pinned", place });

  const dispatcher = new HookDispatcher();
  const approvals = openApprovals(file, "pinned", place);
  const [entry] = parseHookEntries({ pre_tool_call: [{ command: script, fail_closed: true }] }).entries;
  const shellContext = { cwd: folder, home: folder, env: process.env };
  dispatcher.register(createShellHook(entry!, { decide: (each) => approvals.decide(each), shellContext }));
  const evil = `#!/bin/sh\n: > '${evidence}'\ncat >/dev/null\n`;
  const swapper = startProgram(context, "swaps-file.ts", script, write("good.sh", good), write("evil.sh", evil));
  await new Promise((started) => swapper.stdout?.once("data", started));

  const swapperEnded = new Promise((end) => swapper.once("exit", end));
  const messages = new Map<string, number>();
  for (let round = 0; round < tries; round++) {
    const decision = await dispatcher.invoke_hook("pre_tool_call", EVENTS.pre_tool_call.sample());
    assert.equal(decision.kind, "block", "neither the swap nor a refusal opens the gate");
    const message = decision.kind === "block" ? decision.message : "";
    const kind = message === "approved" ? message : message.includes("has changed") ? "changed" : message;
    messages.set(kind, (messages.get(kind) ?? 0) + 1);
  }
  swapper.kill("SIGKILL");
  await swapperEnded;
  assert.equal(existsSync(evidence), false, "unapproved bytes ran");
  assert.deepEqual([...messages.keys()].toSorted(), ["approved", "changed"]);
  assert.ok(readFileSync(file, "utf8").includes(script));
}
