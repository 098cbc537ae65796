/** The Python process ends with the program, however that ends, and its start has every reason to fail. */
import test from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findPythonProblem } from "#sandbox/python/check";
import { findPython } from "#sandbox/python/interpreter";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { ROOT } from "../../helpers/hermes.ts";
import { until } from "../../helpers/poll.ts";
import { killQuietly, lives, pidIn } from "../../helpers/processes.ts";
import { askCommand, makePythonBench } from "../../helpers/python-hooks.ts";

const HOST = join(ROOT, "test/fixtures/programs/hosts-python.ts");

test("it ends with a program that ends by itself, and with one that is killed", async (t) => {
  const folder = temporaryFolder(t);
  const pidFile = join(folder, "pid");
  const writePid = `import os\nwith open(${JSON.stringify(pidFile)}, "w") as file:\n    file.write(f"{os.getpid()}\\n")\n`;
  const start = () => spawn(process.execPath, [HOST, folder], { stdio: ["ignore", "pipe", "inherit"] });

  writeFileSync(join(folder, "handler.py"), `${writePid}def handle(*_):\n    return {"decision": "handled"}\n`);
  const idle = start();
  const [code] = (await once(idle, "exit")) as [number];
  assert.equal(code, 0);
  const first = await pidIn(pidFile);
  await until(() => !lives(first), "the process of an idle program to end");

  writeFileSync(pidFile, "");
  // It never gives the interpreter back for long, and ignores the usual signal.
  const holds =
    "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nasync def handle(*_):\n    while True:\n        pass\n";
  writeFileSync(join(folder, "handler.py"), `${holds}${writePid}`);
  const busy = start();
  const second = await pidIn(pidFile);
  t.after(() => killQuietly(second));
  busy.kill("SIGKILL");
  await until(() => !lives(second), "the process of a killed program to end", { withinMs: 30_000 });
});

test("which Python: config.yaml, HERMES_PYTHON, a virtual environment, PATH", async (t) => {
  const folder = temporaryFolder(t);
  const program = (path: string, text = "#!/bin/sh\n") => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
    chmodSync(join(folder, path), 0o755);
    return join(folder, path);
  };
  const onPath = program("bin/python3");
  const named = program("named");
  const inVenv = program("venv/bin/python");
  const env = { PATH: `${join(folder, "nothing")}:${join(folder, "bin")}`, HOME: folder };
  const find = (more: NodeJS.ProcessEnv, configured?: string) => findPython({ configured, env: { ...env, ...more } });
  assert.deepEqual(find({}), { path: onPath });
  assert.deepEqual(find({ VIRTUAL_ENV: join(folder, "venv") }), { path: inVenv });
  assert.deepEqual(find({ VIRTUAL_ENV: join(folder, "gone") }), { path: onPath });
  assert.deepEqual(find({ VIRTUAL_ENV: join(folder, "venv"), HERMES_PYTHON: named }), { path: named });
  assert.deepEqual(find({ HERMES_PYTHON: named }, "python3"), { path: onPath });
  assert.deepEqual(find({}, "~/named"), { path: named });
  symlinkSync("/", join(folder, "folder"));
  for (const word of ["no-such-python", join(folder, "folder"), join(folder, "nothing")]) {
    assert.deepEqual(find({}, word), {
      problem: `python: in config.yaml names ${word}, which is not an executable file`,
    });
  }
  assert.deepEqual(find({ PATH: "" }), { problem: "there is no python3 on PATH" });

  const problemOf = (text: string) => findPythonProblem({ configured: program(`v/${text.length}`, text), env });
  assert.match(
    (await problemOf("#!/bin/sh\necho 3.8.18\n"))!,
    /no usable Python: \S+ is Python 3\.8\.18\. Install Python 3\.9/,
  );
  assert.match((await problemOf("#!/bin/sh\necho hello\n"))!, /it exited with code 0/);
  assert.match((await problemOf("#!/bin/sh\necho wrong >&2; exit 3\n"))!, /it exited with code 3: wrong\. Install/);
  assert.match((await problemOf("#!/no/such/interpreter\n"))!, /the interpreter of \S+ is missing/);
  assert.equal(await problemOf("#!/bin/sh\necho 3.14.0\n"), null);
});

test("without a usable Python there is one warning, and everything else runs", async (t) => {
  const env: NodeJS.ProcessEnv = { ...process.env, HERMES_PYTHON: "/nowhere/python3" };
  const bench = await makePythonBench(t, { env });
  for (const name of ["one", "two"])
    bench.write(name, { "HOOK.yaml": "events: [agent:end]\n", "handler.py": "def handle(*_): pass\n" });
  bench.write("script", {
    "HOOK.yaml": "events: [agent:end]\n",
    "handler.mjs": "export function handle() { return null; }",
  });
  await bench.host.load();
  assert.deepEqual(bench.warnings, [
    "The gateway hooks hooks/one, hooks/two are skipped: there is no usable Python: $HERMES_PYTHON names /nowhere/python3, which is not an executable file. Install Python 3.9 or newer, or name one with python: in config.yaml.",
  ]);
  const { name, outcome } = await bench.run("agent:end", {});
  assert.deepEqual([name, outcome], ["script", "pass"]);
  // It is installed, and a reload finds it; then it goes, and what runs stays.
  delete env["HERMES_PYTHON"];
  assert.deepEqual((await bench.host.reload()).changes, [
    'gateway hook "one" is loaded',
    'gateway hook "two" is loaded',
  ]);
  env["HERMES_PYTHON"] = "/nowhere/python3";
  const { failures, changes } = await bench.host.reload();
  assert.deepEqual(changes, []);
  assert.match(failures.join(), /The last valid version of the gateway hook "one" keeps running/);
});

test("a changed python: is used after a reload, and what runs meanwhile ends in the old one", async (t) => {
  const env: NodeJS.ProcessEnv = { ...process.env };
  const bench = await makePythonBench(t, { env });
  const found = findPython({ configured: undefined, env });
  assert.ok("path" in found);
  const other = bench.path("other");
  const code = `
import os, sys, time
def handle(event_type, context):
    print("begun")
    while context["args"] and not os.path.exists(context["args"]):
        time.sleep(0.01)
    return {"decision": "handled", "message": str(sys._xoptions.get("other"))}
`;
  bench.write("hook", { "HOOK.yaml": "events: [command:hook]\n", "handler.py": code });
  writeFileSync(other, `#!/bin/sh\nexec ${JSON.stringify(found.path)} -X other "$@"\n`, { mode: 0o755 });
  await bench.host.load();
  const go = bench.path("go");
  const old = askCommand(bench, "hook", go);
  await until(() => bench.lines.includes("info hook: begun"), "the handler to begin");
  env["HERMES_PYTHON"] = other;
  await bench.python.configure();
  writeFileSync(go, "");
  assert.equal(await old, "None");
  assert.equal(await askCommand(bench, "hook"), "True");
});
