/** The section of a platform in config.yaml: what a setup changes in it, and what it leaves alone. */
import assert from "node:assert/strict";
import test from "node:test";
import { fromTyped, readField, textOf } from "#cli/commands/gateway/fields";
import type { SetupField } from "#gateway/adapters/setup";
import { readGiven } from "#cli/commands/gateway/given";
import { findPlatform } from "#gateway/adapters/table";
import { changeSection, readSection } from "#cli/commands/gateway/section";

const change = (text: string, changes: Parameters<typeof changeSection>[2]) =>
  changeSection(text, "telegram", changes, "config.yaml");

const NEW = "gateway:\n  platforms:\n    telegram:\n      enabled: true\n";

test("a section is made where there is none, behind what the file has", async () => {
  for (const text of ["", "gateway:\n", "gateway:\n  platforms:\n", "gateway:\n  platforms:\n    telegram:\n"]) {
    assert.equal(await change(text, { enabled: true }), NEW);
  }
  assert.equal(await change("# mine\n", { enabled: true }), `# mine\n\n${NEW}`);
  assert.equal(await change("model:\n  default: x # y\n", { enabled: true }), `model:\n  default: x # y\n${NEW}`);
});

test("values that stay the same keep their form, others their comments", async () => {
  const text = `gateway:
  platforms:
    telegram:
      # the bot
      token: "a" # from @BotFather
      allowed_users:
        - 12 # Ada
        - "34"
`;
  const same = { token: "a", allowed_users: [12, 34] };
  assert.equal(await change(text, same), text);
  assert.equal(
    await change(text, { enabled: true, token: "b", allowed_users: [12] }),
    `gateway:
  platforms:
    telegram:
      # the bot
      token: "b" # from @BotFather
      allowed_users: [12]
      enabled: true
`,
  );
  assert.equal(
    await change(text, { token: undefined, allowed_users: undefined, none: undefined }),
    "gateway:\n  platforms:\n    telegram:\n      # the bot\n      {}\n",
  );
});

test("a section that refers to another one is not changed for both", async () => {
  const text = "gateway:\n  platforms:\n    other: &one { enabled: false }\n    telegram: *one\n";
  await assert.rejects(change(text, { enabled: true }), /gateway\.platforms\.telegram refers to another section/);
  assert.deepEqual(await readSection(text, "telegram"), { enabled: false });
});

test("texts and values: variables, lists and numbers", async () => {
  const env = { TOKEN: "123456:abcdefghijklmnopqrstuvwxyz", EMPTY: "" };
  const plain: SetupField = { key: "token", label: "", hint: "" };
  const list: SetupField = { ...plain, key: "allowed_users", list: true };
  assert.deepEqual(
    ["$TOKEN", "${TOKEN}", "a${TOKEN}", "$1"].map((typed) => fromTyped(typed, plain)),
    ["${TOKEN}", "${TOKEN}", "a$${TOKEN}", "$1"],
  );
  assert.equal(fromTyped("1,$TOKEN  2", list), "1, ${TOKEN}, 2");
  assert.equal(textOf([1, "x", true]), "1, x, ");
  const read = (field: SetupField, text: string) => readField("telegram", field, text, { env });
  assert.deepEqual(await read(plain, "123"), { value: "123" });
  assert.deepEqual(await read(list, "12, 123456789012345678, 007"), { value: [12, "123456789012345678", "007"] });
  assert.deepEqual(await read(plain, "${EMPTY}"), { problem: "EMPTY is not set in the environment." });
  assert.deepEqual(await readField("telegram", plain, "${NOT_SET}", { env, mayBeUnset: true }), {
    value: "${NOT_SET}",
  });
  const port = { ...plain, key: "port" };
  assert.deepEqual(await readField("api_server", port, "80", { env }), { value: 80 });
  assert.match(JSON.stringify(await readField("api_server", port, "${TOKEN}", { env })), /port: expected a number/);
});

test("the words of --set: every setting but enabled, and what is wrong with a word", async () => {
  const { fields } = await findPlatform("telegram")!.setup();
  const given = (...words: readonly string[]) =>
    readGiven(words, { platform: "telegram", fields, file: "config.yaml", env: {}, tests: true });
  const token = "123456:abcdefghijklmnopqrstuvwxyz";
  assert.deepEqual(await given(`token=${token}`, "allowed_users=", "api_root=http://127.0.0.1:1/a=b"), {
    token,
    allowed_users: undefined,
    api_root: "http://127.0.0.1:1/a=b",
  });
  const wrong: readonly [word: string, said: RegExp][] = [
    ["tokn=x", /telegram has no setting "tokn", only .*\. Did you mean "token"\?/],
    ["enabled=false", /no setting "enabled"/],
    ["token", /--set takes KEY=VALUE, such as --set token=VALUE/],
    ["token=", /has no value/],
    ["token=short", /--set token: This is not a bot token/],
    ["token=${NOT_SET}", /NOT_SET is not set/],
    ["allowed_users=1,@ada", /"@ada" is not a user id/],
    ["api_root=nonsense", /api_root: Invalid URL/],
  ];
  for (const [word, said] of wrong) await assert.rejects(given(word), said, word);
});
