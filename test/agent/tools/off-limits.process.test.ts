/** Hermes's home against the agent's tools: the file tools, and `terminal` with and without the system's sandbox. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { createGuardedFiles } from "#agent/guard/files";
import { homePaths } from "#core/home/paths";
import { createBuiltinTools } from "#agent/tools/builtin";
import { createWall } from "#sandbox/wall/wall";
import { makeToolbox, type Toolbox } from "./toolbox.ts";

const FILES: Readonly<Record<string, string>> = {
  "state.db": "secret-of-conversations\n",
  "state.db-wal": "secret-of-conversations\n",
  "dashboard.json": "secret-of-dashboard\n",
  "BOOT.md": "start-up orders\n",
  "shell-hooks-allowlist.json": "{}\n",
  "logs/hermes.log": "secret-of-log\n",
  "logs/hooks.jsonl.1": "secret-of-log\n",
  "hooks/a/handler.ts": "secret-of-hook\n",
};

function makeHome(): Toolbox {
  const tools = makeToolbox();
  for (const folder of ["logs", "hooks/a", "run"]) mkdirSync(join(tools.home, folder), { recursive: true });
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(tools.home, name), text);
  symlinkSync(tools.home, join(tools.project, "link"));
  symlinkSync(join(tools.home, "not-there"), join(tools.project, "dangling"));
  tools.write("payload", "payload\n");
  tools.write("tree/config.yaml", "changed: 1\n");
  tools.write("Makefile", "all:\n\ttouch changed\n");
  return tools;
}

function snapshot(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return [path, ...snapshot(path)];
    return [`${path} ${statSync(path).mode} ${entry.isFile() ? readFileSync(path, "utf8") : ""}`];
  });
}

const UNWRITABLE = [
  ...Object.keys(FILES),
  "config.yaml",
  "new.txt",
  "pairing.json",
  "shell-hooks-allowlist.json.lock",
  "run/socket",
  "skills/new/SKILL.md",
];

test("write_file and patch change nothing in the home, through links neither, and make nothing", async () => {
  const tools = makeHome();
  const before = snapshot(tools.home);
  const spellings = UNWRITABLE.flatMap((name) => [
    `~/.hermes/${name}`,
    `link/${name}`,
    `../.hermes/${name}`,
    join(tools.home, name),
  ]);
  for (const path of [...spellings, "dangling", "dangling/x"]) {
    await assert.rejects(tools.call("write_file", { path, content: "x" }), /off limits/, path);
    await assert.rejects(tools.call("patch", { path, old_string: "s", new_string: "x" }), /off limits/, path);
  }
  assert.deepEqual(snapshot(tools.home), before);
  assert.equal(existsSync(join(tools.home, "not-there")), false);
});

test("read_file and search_files show neither conversations nor tokens, logs or guards", async () => {
  const tools = makeHome();
  for (const name of Object.keys(FILES).filter((each) => each !== "BOOT.md")) {
    for (const path of [`~/.hermes/${name}`, `link/${name}`]) {
      await assert.rejects(tools.call("read_file", { path }), /off limits/, path);
      await assert.rejects(tools.call("search_files", { pattern: "secret", path }), /off limits/, path);
    }
  }
  for (const path of ["~", "~/.hermes", "link", `/proc/self/root${tools.home}`]) {
    const found = await tools.call("search_files", { pattern: "secret-of", path });
    assert.deepEqual(found["matches"], [], path);
  }
  const names = await tools.call("search_files", { pattern: "*", path: "~/.hermes", target: "files" });
  assert.deepEqual(names["files"], [join(tools.home, "BOOT.md")]);
  assert.equal((await tools.call("read_file", { path: "~/.hermes/BOOT.md" }))["content"], FILES["BOOT.md"]);
});

/** One of each kind; many more spellings are in spellings.ts. */
const COMMANDS = [
  "echo x > ~/.hermes/BOOT.md",
  "echo x > ~/.hermes/shell-hooks-allowlist.json.lock",
  "mv ~/.hermes/hooks ~/.hermes/off",
  "ln -sf payload ~/.hermes/config.yaml",
  "tar -cf a.tar -C tree config.yaml; tar -C ~/.hermes -xf a.tar",
  "git -C ~/.hermes init -q; git -C ~/.hermes clean -fdxq",
  "cd ~ && git init -q && git add -A && git -c user.name=a -c user.email=a stash -uq",
  "cp -rT tree ~/.hermes",
  "make -C ~/.hermes -f $PWD/Makefile",
  "split -b 3 payload ~/.hermes/part",
  "curl -s --output-dir ~/.hermes -O file://$PWD/payload",
  "cat > ~/.hermes/config.yaml <<'END'\nit's changed\nEND",
  "cat > notes <<'END'\nit's\nEND\nrm ~/.hermes/config.yaml",
  "cd ~/.hermes && echo x > $PWD/config.yaml",
  "cd ~/.hermes; cd /; echo x > ~-/config.yaml",
  "CDPATH=~; cd .hermes && echo x > config.yaml",
  'a=(~/.hermes config.yaml); echo x > "${a[0]}/${a[1]}"',
  'read -r p <<< ~/.hermes; echo x > "$p/config.yaml"',
  "set -- ~/.hermes; echo x > $1/config.yaml",
  "n=HERMES_HOME; echo x > ${!n}/config.yaml",
  "shopt -s dotglob; cd ~; echo x | tee */config.yaml",
  'python3 -c \'import os; open(os.path.expanduser("~/.her" + "mes/config.yaml"), "w").write("x")\'',
  "echo ZWNobyB4ID4gfi8uaGVybWVzL2NvbmZpZy55YW1s | base64 -d | bash",
  "echo x > ~/.hermes/dashboard.json",
  "cat ~/.hermes/state.db > stolen",
  "cat ~/.hermes/dashboard.json > stolen-token",
  "cat ~/.hermes/logs/hermes.log > stolen-log",
];

test("terminal without a sandbox refuses each kind of attack before it runs", async (t) => {
  const tools = makeHome();
  for (const command of COMMANDS) {
    await t.test(command, async () => {
      await assert.rejects(tools.call("terminal", { command }), /off limits/);
    });
  }
});

test("terminal in the sandbox runs them, and nothing changes or is shown", async (t) => {
  const { deps, home, project, user } = makeHome();
  const wall = createWall({ profile: "guard", home, workspace: project, userHome: user, env: deps.env });
  const terminal = createBuiltinTools({ ...deps, wall }).find(({ name }) => name === "terminal");
  const before = snapshot(home);
  for (const command of COMMANDS) {
    await t.test(command, async () => {
      const signal = new AbortController().signal;
      const call = { tool_call_id: "call", session_id: "session", cwd: project, signal, depth: 0 };
      const result = (await terminal?.execute({ command }, call)) as { exit_code?: number };
      assert.equal(typeof result.exit_code, "number");
      assert.deepEqual(snapshot(home), before);
    });
  }
  for (const name of ["stolen", "stolen-token", "stolen-log"]) {
    assert.equal(readFileSync(join(project, name), "utf8"), "", name);
  }
});

test("scripts of hooks outside the home cannot be changed by any tool, in the sandbox either", async () => {
  const { deps, home, project, user, write } = makeHome();
  const gate = write("hooks/gate.sh", "exit 2\n");
  const observer = write("hooks/observer.sh", "exit 0\n");
  const scripts = () => ({ all: [gate, observer], gates: [gate] });
  const guard = createGuardedFiles([homePaths(home, deps.env)], { home: user, env: deps.env, scripts });
  const wall = createWall({ profile: "guard", home, workspace: project, userHome: user, env: deps.env });
  const call = { tool_call_id: "call", session_id: "session", cwd: project, depth: 0 };
  for (const tools of [createBuiltinTools({ ...deps, guard }), createBuiltinTools({ ...deps, guard, wall })]) {
    const run = async (name: string, args: Readonly<Record<string, unknown>>) => {
      const tool = tools.find((each) => each.name === name);
      return tool?.execute(args, { ...call, signal: new AbortController().signal });
    };
    for (const path of ["hooks/gate.sh", observer, "./hooks/../hooks/observer.sh"]) {
      await assert.rejects(run("write_file", { path, content: "x" }), /off limits/, path);
      await assert.rejects(run("patch", { path, old_string: "exit", new_string: "x" }), /off limits/, path);
      await assert.rejects(run("terminal", { command: `echo x > ${path}` }), /off limits/, path);
    }
    await assert.rejects(run("terminal", { command: "cd hooks; sed -i s/2/0/ gate.sh" }), /off limits/);
    // Only a gate's script is hidden, too.
    await assert.rejects(run("read_file", { path: "hooks/gate.sh" }), /off limits/);
    await run("read_file", { path: "hooks/observer.sh" });
  }
  assert.deepEqual([readFileSync(gate, "utf8"), readFileSync(observer, "utf8")], ["exit 2\n", "exit 0\n"]);
});
