/** What code could do that escapes its isolate, but not Node: it runs with the flags of the process. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { ROOT } from "../helpers/hermes.ts";
import { Isolates, isolateProcesses } from "../helpers/isolates.ts";

const skip = process.platform === "linux" ? false : "processes are looked up in /proc";

/** Prints, for each attempt of the arguments, "done" or the code of its error. */
const PROBE = `
  import * as fs from "node:fs";
  import { spawnSync } from "node:child_process";
  import { Worker } from "node:worker_threads";
  const attempts = {
    read: (path) => fs.readFileSync(path),
    list: (path) => fs.readdirSync(path),
    stat: (path) => fs.statSync(path),
    link: (path) => fs.readlinkSync(path),
    write: (path) => fs.writeFileSync(path, ""),
    remove: (path) => fs.rmSync(path),
    start: (path) => { const { error } = spawnSync(path); if (error) throw error; },
    thread: (code) => new Worker(code, { eval: true }),
  };
  const results = JSON.parse(process.argv.at(-1)).map(([kind, path]) => {
    try { attempts[kind](path); return "done"; } catch (error) { return error.code; }
  });
  console.log(JSON.stringify(results));
`;

test("the process reads its own code and nothing else", { skip }, async (context) => {
  const home = mkdtempSync(join(tmpdir(), "hermes-home-"));
  context.after(() => rmSync(home, { recursive: true, force: true }));
  for (const name of ["config.yaml", "state.db", "id_ed25519"]) writeFileSync(join(home, name), "secret");
  const isolates = new Isolates(context);
  await isolates.open("any", "export const handle = () => 1;").run();
  const [pid] = isolateProcesses();
  const started = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  const flags = started.slice(
    1,
    started.findIndex((word) => word.includes("sandbox/isolate/entry")),
  );
  assert.ok(flags.includes("--permission"), flags.join(" "));

  const refused = [
    ["read", join(home, "config.yaml")],
    ["read", join(home, "state.db")],
    ["read", join(home, "id_ed25519")],
    ["list", home],
    ["stat", home],
    ["list", isolates.folder("any")],
    ["read", join(isolates.folder("any"), "handler.ts")],
    ["read", "/etc/passwd"],
    ["read", "/etc/hosts"],
    ["list", "/"],
    ["list", "/home"],
    ["list", "/root"],
    ["read", "/proc/self/environ"],
    ["read", `/proc/${process.pid}/environ`],
    ["link", "/proc/self/exe"],
    ["read", process.execPath],
    ["list", ROOT],
    ["read", join(ROOT, "README.md")],
    ["read", join(ROOT, "sandbox/worker/entry.ts")],
    ["list", join(ROOT, "node_modules")],
    ["read", join(ROOT, "sandbox/isolate/../../README.md")],
    ["write", join(home, "new")],
    ["write", join(ROOT, "sandbox/isolate/new.ts")],
    ["remove", join(home, "config.yaml")],
    ["start", "/bin/true"],
    ["thread", "1"],
  ] as const;
  const allowed = [["read", join(ROOT, "sandbox/isolate/guest.ts")]] as const;
  const attempts = JSON.stringify([...refused, ...allowed]);
  const args = [...flags, "--input-type=module", "-e", PROBE, attempts];
  const results = JSON.parse(execFileSync(process.execPath, args, { cwd: "/", env: {}, encoding: "utf8" })) as string[];
  const found = refused.map(([kind, path], index) => `${kind} ${path}: ${results[index]}`);
  assert.deepEqual(
    found,
    refused.map(([kind, path]) => `${kind} ${path}: ERR_ACCESS_DENIED`),
  );
  assert.deepEqual(results.slice(refused.length), ["done"]);
});
