import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import fc from "fast-check";
import { takeScriptFingerprint } from "#allowlist/fingerprint";
import { wrap } from "#allowlist/layout";
import { describeQuestion, showScript, type Question } from "#allowlist/question";

function setUp(context: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "hermes-question-")));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function questionAbout(folder: string, argv: readonly string[], options: Partial<Question> = {}): Question {
  return {
    request: { event: "pre_tool_call", command: argv.join(" "), shell: false, env: [] },
    uses: [{ matcher: null, timeoutSeconds: 60, failClosed: false }],
    script: takeScriptFingerprint(argv, { cwd: folder, env: process.env }),
    reason: "new",
    change: null,
    missing: [],
    pinned: false,
    unpinned: null,
    ...options,
  };
}

test("matcher, shell, environment, timeout, fail_closed and what is not pinned are in the question", (context) => {
  const folder = setUp(context);
  writeFileSync(join(folder, "real.sh"), "#!/bin/sh\n");
  writeFileSync(join(folder, "rules.json"), "{}");
  symlinkSync("real.sh", join(folder, "guard.sh"));
  const question = questionAbout(folder, ["./guard.sh", "--rules=rules.json"], {
    request: {
      event: "pre_tool_call",
      command: "./guard.sh --rules=rules.json",
      shell: true,
      env: ["A_TOKEN", "B_KEY"],
    },
    uses: [
      { matcher: "terminal", timeoutSeconds: 5, failClosed: false },
      { matcher: "patch\u200b", timeoutSeconds: 60, failClosed: true },
    ],
    pinned: true,
    unpinned: "Something is not.",
  });
  const text = describeQuestion(question, "2 of 6: ", 200).join("\n");
  for (const part of [
    /^2 of 6: This shell hook is not approved yet/m,
    /^ {2}event +pre_tool_call$/m,
    /^ {2}matcher +terminal; patch\\u\{200b\}$/m,
    /^ {2}command +\.\/guard\.sh --rules=rules\.json$/m,
    /^ {2}shell +yes: it runs through sh -c/m,
    /^ {2}environment +also gets A_TOKEN, B_KEY$/m,
    /^ {2}timeout +5 s; 60 s$/m,
    /^ {2}fail_closed +yes/m,
    new RegExp(`^ {2}script +${folder}/guard\\.sh -> ${folder}/real\\.sh \\(10 bytes\\)$`, "m"),
    /^ {2}sha256 +[0-9a-f]{64}$/m,
    new RegExp(`^ {2}also pinned +${folder}/rules\\.json$`, "m"),
    /^ {2}not pinned +Something is not\.$/m,
  ]) {
    assert.match(text, part);
  }
});

test("a changed file and missing terms are named", (context) => {
  const folder = setUp(context);
  const changed = questionAbout(folder, ["true"], { reason: "changed", change: "its file x has changed" });
  assert.match(
    describeQuestion(changed, "", 80).join("\n"),
    /A file of this shell hook changed[^]*its file x has changed/,
  );
  const wider = questionAbout(folder, ["true"], { reason: "wider", missing: ["the shell (sh -c)", "A_TOKEN"] });
  assert.match(describeQuestion(wider, "", 80).join("\n"), /was approved without the shell \(sh -c\) and A_TOKEN\./);
});

test("no line is wider than the terminal, and nothing of the command is lost", (context) => {
  const folder = setUp(context);
  const command = `true ${"日本語".repeat(30)} ${"x".repeat(300)} 'a\u3164b'`;
  const question = questionAbout(folder, ["true"], {
    request: { event: "pre_tool_call", command, shell: false, env: [] },
  });
  for (const columns of [40, 59, 60, 80, 200]) {
    const lines = describeQuestion(question, "1 of 2: ", columns);
    for (const line of lines) assert.ok(widthOf(line) <= columns, `${columns}: ${line}`);
    const shown = lines.join("").replaceAll(/\s/g, "");
    assert.ok(shown.includes(command.replace("\u3164", "\\u{3164}").replaceAll(/\s/g, "")));
  }
});

test("cutting into lines keeps every character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 20, max: 120 }), (text, columns) => {
      assert.equal(wrap(text, columns).join(""), text);
      assert.equal(
        wrap(text, columns, "  | ")
          .map((line) => line.slice(4))
          .join(""),
        text,
      );
    }),
  );
});

test("the question says that a script is binary or cannot be shown", (context) => {
  const folder = setUp(context);
  writeFileSync(join(folder, "binary"), Buffer.from([1, 0, 2]));
  const scriptOf = (argv: readonly string[]) => takeScriptFingerprint(argv, { cwd: folder, env: process.env });
  assert.match(showScript(scriptOf(["./binary"]), 80).join(), /is not a text file \(3 bytes\)/);
  assert.match(showScript(scriptOf(["sh", "-c", "true"]), 80).join(), /There is no script/);
  writeFileSync(join(folder, "late-nul"), `${"a\n".repeat(100_000)}\0`);
  assert.match(showScript(scriptOf(["./late-nul"]), 80).join(), /is not a text file/, "wherever the NUL is");
});

/** As a terminal counts: wide characters take two columns. */
function widthOf(line: string): number {
  return Array.from(line).reduce((sum, character) => sum + (/[\u3040-\u9fff]/.test(character) ? 2 : 1), 0);
}
