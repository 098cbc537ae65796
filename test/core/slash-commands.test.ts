import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { findSlashCommand, isSlashWord, noSlashCommand, slashHelp, slashWords } from "#core/slash-commands";

test("a word means a command of its surface, by name or alias", () => {
  assert.equal(findSlashCommand("chat", "clear"), "new");
  assert.equal(findSlashCommand("gateway", "clear"), "new");
  assert.equal(findSlashCommand("chat", "retry"), "retry");
  assert.equal(findSlashCommand("gateway", "retry"), undefined);
  assert.equal(findSlashCommand("chat", "constructor"), undefined);
});

test("the words of chat are those of the contract, /reasoning, /verbose, /tasks, /compact and /cost", () => {
  const words =
    "help new reset clear status sessions resume title retry undo model reasoning verbose tools hooks tasks history stop quit exit compact cost";
  assert.deepEqual(slashWords("chat").toSorted(), words.split(" ").toSorted());
});

test("each surface's help has a line for each of its commands, with aliases and arguments", () => {
  for (const surface of ["chat", "gateway"] as const) {
    const help = slashHelp(surface);
    const words = help.flatMap(([line]) => line.split(" ").filter((word) => word.startsWith("/")));
    assert.deepEqual(
      words,
      slashWords(surface).map((word) => `/${word}`),
    );
    assert.ok(help.every(([, summary]) => summary !== ""));
  }
  assert.deepEqual(
    slashHelp("chat").find(([line]) => line.startsWith("/title")),
    ["/title [TEXT]", "name this session"],
  );
});

test("a command of another surface is unknown here, and no plugin may register it anywhere", () => {
  assert.equal(noSlashCommand("gateway", "retyr", []), 'There is no command "/retyr". Send "/help" for a list.');
  assert.equal(noSlashCommand("chat", "retyr", []), 'There is no command "/retyr". Did you mean "/retry"?');
  assert.equal(noSlashCommand("gateway", "dcie", ["dice"]), 'There is no command "/dcie". Did you mean "/dice"?');
  assert.deepEqual(["retry", "exit", "dice"].map(isSlashWord), [true, true, false]);
});

test("the gateway's page documents every word of its commands", () => {
  const page = readFileSync("docs/gateway.md", "utf8");
  assert.deepEqual(
    slashWords("gateway").filter((word) => !page.includes(`\`/${word}`)),
    [],
  );
});
