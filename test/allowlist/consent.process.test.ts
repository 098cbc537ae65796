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

const PROMPT = "Allow this hook? [";

interface Asking {
  readonly env?: NodeJS.ProcessEnv;
  readonly columns?: number;
  readonly rows?: number;
  /** Typed at once, long before the program can ask. */
  readonly ahead?: string;
}

/** Settles consent for the commands on a terminal; each step waits for its first text and then types its second. */
async function ask(
  file: string,
  commands: readonly string[],
  steps: readonly (readonly [seen: string | RegExp, typed: string])[],
  { ahead, ...options }: Asking = {},
): Promise<string> {
  const program = join(programs, "asks-consent.ts");
  const terminal = startOnPty([process.execPath, program, file, ...commands], options);
  if (ahead !== undefined) terminal.type(ahead);
  for (const [seen, typed] of steps) {
    await terminal.see(seen);
    terminal.type(typed);
  }
  await terminal.exited;
  return terminal.output();
}

function makeScript(folder: string, text = "#!/bin/sh\necho guarding\n", name = "guard.sh"): string {
  const script = join(folder, name);
  writeFileSync(script, text, { mode: 0o755 });
  return script;
}

test("the prompt shows command, path, size and hash; yes approves", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const script = makeScript(folder);
  const output = await ask(file, [script], [[PROMPT, "y\r"]]);
  assert.match(output, /APPROVED 1 WARNINGS \[\]/);
  assert.match(output, /event +pre_tool_call/);
  assert.match(output, /matcher +terminal/);
  assert.match(output, /shell +no/);
  assert.match(output, /timeout +60 s/);
  assert.match(output, /fail_closed +no/);
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
      [PROMPT, "s\r"],
      ["  | Allow this hook?", ""],
      [PROMPT, "y\r"],
    ],
  );
  assert.ok(output.includes("  | \\x1b[2Jrm -rf /"));
  assert.match(output, /APPROVED 1/);
});

test("escape sequences, bidi marks and line breaks of a command are shown, not obeyed", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const script = makeScript(folder, "", "a\u001b[31m\u202Eb\nc\u3164");
  const output = await ask(file, [script], [[PROMPT, "n\r"]]);
  assert.ok(output.includes("a\\x1b[31m\\u{202e}b\\nc\\u{3164}"));
});

test("Ctrl+C at a question ends the start, and the terminal is as before", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const program = join(programs, "asks-consent.ts");
  const line = `'${process.execPath}' '${program}' '${file}' '${makeScript(folder)}'; stty -a`;
  const terminal = startOnPty(["sh", "-c", line]);
  await terminal.see(PROMPT);
  terminal.type("\u0003");
  await terminal.exited;
  assert.match(terminal.output(), /\nENDED HERMES_INTERRUPTED/);
  assert.match(terminal.output(), /\bicanon\b[^]*[^-]\becho\b/);
  assert.equal(readAllowlist(file).approvals.length, 0);
});

test("Ctrl+D refuses the rest, too", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const output = await ask(
    file,
    [makeScript(folder), "true", "false"],
    [
      ["1 of 3", ""],
      [PROMPT, "\u0004"],
    ],
  );
  assert.match(output, /APPROVED 0 WARNINGS \["3 shell hooks are not approved/);
  assert.doesNotMatch(output, /2 of 3/);
});

test("what was typed before a question is shown does not answer it", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const commands = [makeScript(folder), "true"];
  const output = await ask(
    file,
    commands,
    [
      ["1 of 2", ""],
      [PROMPT, "\r"],
      ["2 of 2", ""],
      [PROMPT, "n\r"],
    ],
    { ahead: "y\ry\ry" },
  );
  assert.match(output, /APPROVED 0/, "neither the lines nor the y without Enter count");
});

test("an answer to one question does not run over into the next", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const steps = [
    [PROMPT, "y\ry\ry\r"],
    ["2 of 3", ""],
    [PROMPT, "n\ry\r"],
    ["3 of 3", ""],
    [PROMPT, "\r"],
  ] as const;
  const output = await ask(file, [makeScript(folder), "true", "false"], steps);
  assert.match(output, /APPROVED 1/);
});

test("what is typed behind the last answer is left for the conversation", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const output = await ask(file, [makeScript(folder)], [[PROMPT, "y\rhello agent\r"]], { env: { THEN_READ: "1" } });
  assert.match(output, /THEN hello agent/);
  assert.equal(readAllowlist(file).approvals.length, 1);
});

test("a shows the hooks that were not shown yet and allows all with one answer", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const commands = [makeScript(folder), "true", "false", "cat"];
  const output = await ask(file, commands, [
    [PROMPT, "n\r"],
    ["2 of 4", ""],
    [PROMPT, "a\ry\r"],
    ["3 of 4", ""],
    ["4 of 4", ""],
    ["Allow all 3 hooks shown above? [y/N] ", "y\r"],
  ]);
  assert.match(output, /APPROVED 3 WARNINGS \["1 shell hook is not approved/);
  assert.equal(output.split("4 of 4").length, 2);
});

test("a no after a asks one by one", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const output = await ask(
    file,
    [makeScript(folder), "true"],
    [
      [PROMPT, "a\r"],
      ["Allow all 2 hooks", "\r"],
      ["1 of 2", ""],
      [PROMPT, "y\r"],
      ["2 of 2", ""],
      [PROMPT, "n\r"],
    ],
  );
  assert.match(output, /APPROVED 1/);
});

test("a long command is shown whole, page by page; what was not shown is not approved", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const name = `${"long/".repeat(300)}end-of-it`;
  const command = `${makeScript(folder)}${" ".repeat(6000)}${name}`;
  const size = { columns: 40, rows: 12 };
  const more = /-- \d+ more lines \(q: stop\) -- /;
  const seen: string[] = [];
  const terminal = startOnPty([process.execPath, join(programs, "asks-consent.ts"), file, command], {
    ...size,
    env: { SPLIT: "1" },
  });
  for (;;) {
    const page = await terminal.see(/-- \d+ more lines \(q: stop\) -- |Allow this hook\? \[/);
    seen.push(page);
    if (!more.test(page)) break;
    assert.ok(page.split("\n").length <= size.rows + 1, page);
    terminal.type("\r");
  }
  terminal.type("y\r");
  await terminal.exited;
  const text = seen.join("").replaceAll(/-- \d+ more lines \(q: stop\) -- |\s/g, "");
  assert.ok(text.includes(`␣{6000}${name}`));
  for (const line of terminal.output().split("\r\n")) assert.ok(line.length <= size.columns, line);
  assert.match(terminal.output(), /APPROVED 1/);

  const stopped = await ask(file, [`${command} other`], [[more, "q\r"]], { ...size, env: { SPLIT: "1" } });
  assert.match(stopped, /Not approved: it was not shown/);
  assert.match(stopped, /APPROVED 1/);
});

test("a long script is shown page by page", { skip }, async (context) => {
  const { folder, file } = setUp(context);
  const script = makeScript(folder, `#!/bin/sh\n${"# line\n".repeat(50)}last\u2800line\n`);
  const size = { columns: 80, rows: 24 };
  const output = await ask(
    file,
    [script],
    [
      [PROMPT, "s\r"],
      ["30 more lines", "\r"],
      ["8 more lines", "\r"],
      ["last\\u{2800}line", ""],
      [PROMPT, "n\r"],
    ],
    size,
  );
  for (const line of output.split("\r\n").slice(0, -2)) assert.ok(line.length <= size.columns, line);
});
