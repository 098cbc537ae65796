/** Coprocesses as a host has them: pinned, restarted by a reload, ended with the host. */
import assert from "node:assert/strict";
import { copyFileSync, realpathSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test from "node:test";
import { HookDispatcher } from "#core/dispatch";
import { EVENTS } from "#core/events";
import { parseConfig } from "#core/home/config";
import { homePaths } from "#core/home/paths";
import type { HookRun } from "#core/ports/hook";
import { createShellHooks } from "#cli/shell-hooks";
import { createWalls } from "#cli/walls";
import { until } from "../helpers/poll.ts";
import { lives } from "../helpers/processes.ts";
import { temporaryFolder } from "../helpers/temporary-folder.ts";

const SCRIPT = resolve(import.meta.dirname, "../fixtures/scripts/coprocess.mjs");

test("a host's coprocess is pinned, restarted by a reload, and ends with the host", async (context) => {
  const folder = realpathSync(temporaryFolder(context));
  const script = join(folder, "guard.mjs");
  copyFileSync(SCRIPT, script);
  const paths = homePaths(join(folder, "home"));
  const env = { PATH: process.env["PATH"] };
  const dispatcher = new HookDispatcher();
  const runs: HookRun[] = [];
  dispatcher.sinks.add((run) => void runs.push(run));
  const walls = createWalls({ home: paths.home, env, note: () => undefined });
  await using hooks = createShellHooks({
    context: { env, warn: () => undefined } as never,
    globals: { safeMode: false, acceptHooks: false } as never,
    paths,
    dispatcher,
    onUnrecorded: (sentence) => assert.fail(sentence),
    wallFor: (profile) => walls(profile ?? "off"),
  });
  const load = async (sandbox: "off" | "auto") => {
    const entry = { command: `${process.execPath} ${script}`, coprocess: true, fail_closed: true, sandbox };
    const values = { hooks_auto_accept: true, hooks_consent: "pinned", hooks: { pre_tool_call: [entry] } };
    (await hooks.prepare(await parseConfig(JSON.stringify(values), "config.yaml", {}))).swap();
  };
  const fire = async (command: string) => {
    const payload = { ...EVENTS.pre_tool_call.sample(), args: { command } };
    const decision = await dispatcher.invoke_hook("pre_tool_call", payload);
    return decision.kind === "block" ? decision.message : undefined;
  };

  await load("off");
  const first = Number(await fire("pid"));
  assert.equal(await fire("count"), "2");
  await load("off");
  await until(() => !lives(first), "the reload has ended it");
  const second = Number(await fire("pid"));
  assert.notEqual(second, first);

  // Behind the sandbox, where this machine has one.
  await load("auto");
  assert.equal(await fire("nothing"), undefined);
  assert.equal(await fire("count"), "2");
  assert.equal(lives(second), false);
  await load("off");
  const third = Number(await fire("pid"));

  writeFileSync(script, "process.exit(1);\n");
  assert.match((await fire("nothing")) ?? "", /has changed since it was approved/);
  assert.equal(lives(third), false);
  copyFileSync(SCRIPT, script);
  const fourth = Number(await fire("pid"));
  await hooks[Symbol.asyncDispose]();
  assert.equal(lives(fourth), false);
  assert.equal(runs.filter(({ cause }) => cause !== null).length, 1);
});
