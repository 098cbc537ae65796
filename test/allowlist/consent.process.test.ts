import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import { addApprovals, readAllowlist } from "#allowlist/store";
import { noPty as skip, startOnPty } from "../helpers/pty.ts";

const programs = resolve(import.meta.dirname, "../fixtures/programs");

function setUp(context: TestContext): { folder: string; file: string } {
  const folder = mkdtempSync(join(tmpdir(), "hermes-consent-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, file: join(folder, "shell-hooks-allowlist.json") };
}

test("8 processes that add approvals at once lose none", async (context) => {
  const { file } = setUp(context);
  const ends = Array.from({ length: 8 }, (_, index) => {
    const child = spawn(process.execPath, [join(programs, "adds-approvals.ts"), file, "12", `p${index}`], {
      stdio: "inherit",
    });
    return new Promise((ended) => child.once("exit", ended));
  });
  assert.deepEqual(await Promise.all(ends), Array(8).fill(0));
  const { approvals, warnings } = readAllowlist(file);
  assert.deepEqual(warnings, []);
  assert.equal(new Set(approvals.map(({ command }) => command)).size, 96);
});

test("a lock that a killed process left behind is taken over", async (context) => {
  const { file } = setUp(context);
  mkdirSync(`${file}.lock`);
  assert.equal(await addApprovals(file, [{ event: "pre_tool_call", command: "x" }]), 1);
  assert.equal(readAllowlist(file).approvals.length, 1);
});

const PROMPT = "Allow this hook?";

/** Settles consent for the commands on a terminal; each step waits for its first text and then types its second. */
async function ask(
  file: string,
  commands: readonly string[],
  steps: readonly (readonly [seen: string, typed: string])[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const program = join(programs, "asks-consent.ts");
  const terminal = startOnPty([process.execPath, program, file, ...commands], { env });
  for (const [seen, typed] of steps) {
    await terminal.see(seen);
    terminal.type(typed);
  }
  await terminal.exited;
  return terminal.output();
}

function makeScript(folder: string, text = "#!/bin/sh\necho guarding\n"): string {
  const script = join(folder, "guard.sh");
  writeFileSync(script, text, { mode: 0o755 });
  return script;
}

test("the prompt shows command, path, size and hash; yes approves", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const script = makeScript(folder);
  const output = await ask(file, [script], [[PROMPT, "y\r"]]);
  assert.match(output, /APPROVED 1 WARNINGS \[\]/);
  assert.ok(output.includes("pre_tool_call (matcher terminal)"));
  assert.ok(output.replaceAll(/\s/g, "").includes(`${script}(24bytes)`));
  const { approvals } = readAllowlist(file);
  assert.ok(output.includes(String(approvals[0]?.script_sha256)));
  assert.equal(approvals[0]?.approved_by, "prompt");
});

for (const [what, typed] of [
  ["an empty line", "\r"],
  ["n", "n\r"],
  ["the end of the input (Ctrl+D)", "\u0004"],
] as const) {
  test(`${what} means no`, { skip }, async (context) => {
    const { folder, file } = setUp(context);
    const output = await ask(file, [makeScript(folder)], [[PROMPT, typed]]);
    assert.match(output, /\nAPPROVED 0 WARNINGS \["1 shell hook is not approved/);
  });
}

test("s shows the script with a margin; an invalid answer prompts again", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const script = makeScript(folder, "#!/bin/sh\n\u001b[2Jrm -rf /\nAllow this hook?\n");
  const output = await ask(
    file,
    [script],
    [
      [PROMPT, "perhaps\r"],
      ["Please answer", ""],
      ["] ", "s\r"],
      ["  | Allow this hook?", ""],
      ["] ", "y\r"],
    ],
  );
  assert.ok(output.includes("  | \\x1b[2Jrm -rf /"));
  assert.match(output, /APPROVED 1/);
});

test("escape sequences, bidi marks and line breaks of a command are shown, not obeyed", { skip }, async (context) => {
  const { file } = setUp(context);
  const output = await ask(file, ["a\u001b[31m\u202Eb\nc"], [[PROMPT, "n\r"]]);
  assert.ok(output.includes("a\\x1b[31m\\u{202e}b\\nc"));
});

test("Ctrl+C at a question ends the start", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const output = await ask(file, [makeScript(folder)], [[PROMPT, "\u0003"]]);
  assert.match(output, /\nENDED HERMES_INTERRUPTED/);
  assert.equal(readAllowlist(file).approvals.length, 0);
});

test(
  "lines typed ahead answer the next questions, the rest is left for the conversation",
  { skip },
  async (context) => {
    const { folder, file } = setUp(context);
    const typed = [[PROMPT, "y\rn\rhello agent\r"]] as const;
    const output = await ask(file, [makeScript(folder), "other"], typed, { THEN_READ: "1" });
    assert.match(output, /THEN hello agent/);
    assert.equal(readAllowlist(file).approvals.length, 1);
  },
);
