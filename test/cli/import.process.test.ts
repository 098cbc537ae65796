/** Guards that were written for other programs: imported, checked, approved, and run before a tool call. */
import assert from "node:assert/strict";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { runInProcess } from "../helpers/in-process.ts";
import { Home, ROOT } from "../helpers/hermes.ts";
import { writeSettings } from "../helpers/imports.ts";

const PROGRAMS = {
  claude: ".claude/settings.json",
  codex: ".codex/hooks.json",
  gemini: ".gemini/settings.json",
  cursor: ".cursor/hooks.json",
  copilot: ".github/hooks/guards.json",
};

interface Imported {
  readonly program: string;
  readonly skipped: readonly unknown[];
  readonly written: { readonly config: string; readonly added: number };
}

interface Tested {
  readonly results: readonly { command: string; error: string | null; answer: Record<string, unknown> | null }[];
}

test("guards in Bash, Python and Node of five programs are imported and hold", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "# my settings\nmodel: { provider: offline } # no key\n");
  cpSync(join(ROOT, "test/fixtures/other-programs"), join(home.work, "all projects"), { recursive: true });
  for (const [program, file] of Object.entries(PROGRAMS)) {
    const path = join("all projects", program, file);
    const { code, stdout, stderr } = await runInProcess(home, ["hooks", "import", path, "--write", "--json"]);
    assert.equal(code, 0, stderr);
    const { program: recognised, skipped, written } = JSON.parse(stdout) as Imported;
    assert.deepEqual([recognised, skipped, written.added], [program, [], 3]);
  }
  const config = home.read("config.yaml");
  assert.match(config, /^# my settings\nmodel: \{ provider: offline \} # no key\n/);
  const again = await runInProcess(home, ["hooks", "import", join("all projects", "claude"), "--write"]);
  assert.match(
    again.stderr,
    /Reading .*settings\.json \(Claude Code\)\.\n[^]*Nothing was added to .* 3 were there already\./,
  );
  assert.equal(home.read("config.yaml"), config);
  assert.equal(existsSync(join(home.path, "shell-hooks-allowlist.json")), false, "importing approves nothing");

  writeSettings(home.work, "payload.json", { tool_name: "terminal", args: { command: "rm -rf build" } });
  const tested = await runInProcess(home, [
    "hooks",
    "test",
    "pre_tool_call",
    "--payload-file",
    "payload.json",
    "--json",
  ]);
  assert.deepEqual(
    (JSON.parse(tested.stdout) as Tested).results.map(
      ({ answer }) => answer?.["message"] ?? (answer?.["args"] as { command: string } | undefined)?.command,
    ),
    [
      "claude bash: no rm -rf",
      "claude python: no rm -rf",
      "claude node: really?",
      "codex bash: no rm -rf",
      "codex python: no rm -rf",
      "echo codex node",
      "gemini bash: no rm -rf",
      "gemini python: no rm -rf",
      "echo gemini node",
      "cursor bash: no rm -rf",
      "cursor node: really?",
      "cursor python: no rm -rf",
      "copilot bash: no rm -rf",
      "copilot python: no rm -rf",
      "copilot node: really?",
    ],
  );
  assert.equal((await runInProcess(home, ["hooks", "allow", "--all"])).code, 0);
  const doctor = await runInProcess(home, ["hooks", "doctor", "--json"]);
  assert.equal(doctor.code, 0, doctor.stdout);
  const { stdout } = await home.run([
    "chat",
    "-q",
    '@terminal {"command":"rm -rf build"}',
    "--output-format",
    "stream-json",
  ]);
  const result = stdout.split("\n").find((line) => line.includes('"type":"tool_result"'));
  assert.match(result ?? "", /claude bash: no rm -rf/);
});

test("what is wrong with the file or the options is said, with the exit code for it", async (t) => {
  const home = new Home(t);
  writeSettings(home.work, "broken.json", '{\n  "hooks": [}');
  writeSettings(home.work, "prompts.json", {
    hooks: { PreToolUse: [{ hooks: [{ type: "prompt", prompt: "Safe?" }] }] },
  });
  writeSettings(home.work, "list.json", { hooks: [] });
  writeSettings(home.work, "other.json", {});
  const cases: readonly (readonly [args: readonly string[], code: number, stderr: RegExp])[] = [
    [["none.json"], 3, /none\.json does not exist\./],
    [["broken.json"], 2, /broken\.json:2:13: not valid JSON: value expected/],
    [["list.json", "--from", "claude"], 2, /list\.json:1:2: "hooks" must be an object of events/],
    [["other.json"], 2, /other\.json does not show which program its hooks are for\. Use --from claude\|codex\|/],
    [["other.json", "--from", "cluade"], 2, /claude, codex, gemini, cursor, copilot/],
    [
      ["prompts.json"],
      1,
      /prompts\.json:1:\d+: hooks\.PreToolUse\[0\]\.hooks\[0\]: not imported: [^]*0 of 1 hook converted/,
    ],
  ];
  for (const [args, code, stderr] of cases) {
    const ended = await runInProcess(home, ["hooks", "import", ...args]);
    assert.match(ended.stderr, stderr);
    assert.equal(ended.code, code, args.join(" "));
  }
});
