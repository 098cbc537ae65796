/** Files that are no settings, or not where they should be, and which program a file is of. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { convertSettings } from "#cli/import/convert";
import { findSettingsFile } from "#cli/import/find-file";
import { READERS, recognise } from "#cli/import/readers";
import { readSettingsFile } from "#cli/import/settings-file";
import { convertFile, placeSettings, writeSettings } from "../../helpers/imports.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const BROKEN: readonly (readonly [name: string, text: string, message: RegExp])[] = [
  ["settings.json", '{\n  "hooks": {,\n', /settings\.json:2:13: not valid JSON: value expected/],
  ["settings.json", "", /settings\.json:1:1: not valid JSON: value expected/],
  ["settings.json", '{"a": 1}\n{"b": 2}', /settings\.json:2:1: not valid JSON: end of file expected/],
  ["config.toml", 'a = 1\n[hooks\nb = "x"', /config\.toml:2:\d+: not valid TOML: /],
];
for (const [name, text, message] of BROKEN) {
  test(`${name} with ${JSON.stringify(text)} is refused with its place`, async (t) => {
    await assert.rejects(readSettingsFile(writeSettings(temporaryFolder(t), name, text)), {
      code: "HERMES_IMPORT_INVALID",
      message,
    });
  });
}

test("a byte order mark, comments and trailing commas are fine; the places count from the text", async (t) => {
  const text = '\uFEFF// settings\n{ "hooks": { "Stop": [ { "hooks": [ { "type": "http" }, ] }, ] }, }';
  const { remarks } = await convertFile(writeSettings(temporaryFolder(t), "settings.json", text));
  assert.deepEqual([remarks[0]?.line, remarks[0]?.column], [2, 37]);
});

test("a file that is not there, a folder, a file that is too long", async (t) => {
  const folder = temporaryFolder(t);
  await assert.rejects(readSettingsFile(join(folder, "x.json")), { code: "HERMES_IMPORT_MISSING" });
  await assert.rejects(readSettingsFile(folder), { code: "HERMES_IMPORT_INVALID", message: /directory/ });
  const long = writeSettings(folder, "long.json", `"${"x".repeat(5 * 1024 * 1024)}"`);
  await assert.rejects(readSettingsFile(long), { code: "HERMES_IMPORT_INVALID" });
});

const hook = { type: "command", command: "x" };
const RECOGNISED: readonly (readonly [path: string, settings: object, program: string | undefined])[] = [
  ["a.json", { hooks: { PreToolUse: [{ hooks: [hook] }] } }, "claude"],
  [".codex/hooks.json", { hooks: { PreToolUse: [{ hooks: [hook] }] } }, "codex"],
  ["a.json", { hooks: { BeforeTool: [{ hooks: [hook] }] } }, "gemini"],
  [".gemini/settings.json", { hooks: { SessionStart: [{ hooks: [hook] }] } }, "gemini"],
  [".claude/settings.json", { hooks: { BeforeTool: [{ hooks: [hook] }] } }, "gemini"],
  ["a.json", { version: 1, hooks: { beforeShellExecution: [{ command: "x" }] } }, "cursor"],
  ["a.json", { version: 1, hooks: { preToolUse: [{ command: "x" }] } }, "cursor"],
  ["a.json", { version: 1, hooks: { preToolUse: [{ type: "command", bash: "x" }] } }, "copilot"],
  [".github/hooks/a.json", { version: 1, hooks: { preToolUse: [{ command: "x" }] } }, "copilot"],
  ["a.json", { hooks: { PreToolUse: [hook] } }, "copilot"],
  ["a.json", { PreToolUse: [{ hooks: [hook] }] }, "claude"],
  [".claude/settings.json", { hooks: { Unknown: [] } }, "claude"],
  [".cursor/hooks.json", { version: 1, hooks: {} }, "cursor"],
  ["a.json", { hooks: { unknown: [] } }, undefined],
  ["a.json", {}, undefined],
];
for (const [path, settings, program] of RECOGNISED) {
  test(`${path} with ${JSON.stringify(settings)} is of ${program ?? "nobody known"}`, () => {
    assert.equal(recognise(join("/project", path), settings)?.name, program);
  });
}

test("a folder stands for its only file with hooks", async (t) => {
  const project = temporaryFolder(t);
  await assert.rejects(findSettingsFile(project, undefined), {
    code: "HERMES_IMPORT_MISSING",
    message: /There are no hook settings in .*Expected one of \.claude\/settings\.json, /,
  });
  writeSettings(project, ".gemini/settings.json", { tools: {} });
  mkdirSync(join(project, ".claude"));
  const claude = placeSettings(project, "claude.json");
  for (const folder of [project, join(project, ".claude")]) {
    assert.equal(await findSettingsFile(folder, undefined), claude);
  }
  const copilot = placeSettings(project, "copilot.json");
  await assert.rejects(findSettingsFile(project, undefined), {
    code: "HERMES_USAGE",
    message: new RegExp(`in 2 files\\. Import one at a time: ${claude}, ${copilot}\\.`),
  });
  assert.equal(await findSettingsFile(project, "copilot"), copilot);
  for (const folder of [".github", ".github/hooks"]) {
    assert.equal(await findSettingsFile(join(project, folder), undefined), copilot);
  }
});

test("whatever is in the file, nothing throws, and all hooks that are not imported are remarked on", () => {
  const word = fc.oneof(
    fc.constantFrom("command", "bash", "prompt", "Bash", "*", "(", "async", "$X/./a 'b"),
    fc.string(),
  );
  const handler = fc.oneof(
    fc.dictionary(
      fc.constantFrom("type", "command", "bash", "timeout", "if", "async", "args", "cwd", "env", "matcher"),
      fc.oneof(word, fc.jsonValue()),
    ),
    fc.jsonValue(),
  );
  for (const reader of Object.values(READERS)) {
    const names = [...reader.program.events.map(({ name }) => name), ...Object.keys(reader.missing), "constructor"];
    const item =
      reader.layout === "list"
        ? handler
        : fc.oneof(
            fc.record({ matcher: fc.oneof(word, fc.jsonValue()), hooks: fc.oneof(fc.array(handler), fc.jsonValue()) }),
            fc.jsonValue(),
          );
    const settings = fc.dictionary(fc.constantFrom(...names), fc.oneof(fc.array(item), fc.jsonValue()));
    fc.assert(
      fc.property(settings, (hooks) => {
        const file = { file: "/project/settings.json", value: { hooks }, placeOf: () => null };
        const imported = convertSettings(file, reader, "/home/me");
        const converted = Object.values(imported.hooks).flat().length;
        const left = imported.remarks.filter((remark) => !remark.imported).length;
        const ofMissing = Object.keys(hooks).some((name) => name in reader.missing || name === "constructor");
        assert.ok(converted <= imported.found);
        assert.ok(converted === imported.found || left > 0, JSON.stringify(hooks));
        assert.ok(!ofMissing || left > 0);
      }),
      { numRuns: 60 },
    );
  }
});
