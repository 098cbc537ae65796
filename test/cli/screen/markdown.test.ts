/* oxlint-disable no-control-regex -- escape sequences are what is looked for */
/** Markdown as rows of a terminal. */
import assert from "node:assert/strict";
import test from "node:test";
import headless from "@xterm/headless";
import { createMarkdown } from "#cli/chat/screen/markdown";
import { createPalette } from "#cli/chat/screen/palette";

const plain = createMarkdown(createPalette(false), false);

async function onTerminal(rows: readonly string[], columns: number): Promise<headless.IBuffer> {
  const terminal = new headless.Terminal({ cols: columns, rows: 40, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(rows.join("\r\n"), resolve));
  return terminal.buffer.active;
}

function textOf(buffer: headless.IBuffer, row: number): string {
  return buffer.getLine(row)?.translateToString(true) ?? "";
}

test("headings, bold, lists, quotes and rules", () => {
  const text = "# One\n\nsome **bold** and *soft* `code`\n\n- a\n  1. b\n\n> said\n\n---\n";
  assert.deepEqual(plain(text, 40), [
    "One",
    "",
    "some bold and soft code",
    "",
    "- a",
    "    1. b",
    "",
    "│ said",
    "",
    "─".repeat(40),
  ]);
});

test("styles reach the terminal", async () => {
  const rows = createMarkdown(createPalette(true), false)("# One\n\n**bold**", 40);
  const buffer = await onTerminal(rows, 40);
  assert.ok(buffer.getLine(0)?.getCell(0)?.isBold());
  assert.ok(buffer.getLine(2)?.getCell(0)?.isBold());
  assert.equal(textOf(buffer, 2), "bold");
});

for (const width of [80, 40, 20]) {
  test(`rows are wrapped at words and no wider than the terminal (${width} columns)`, async () => {
    const words = "Lorem ipsum dolor sit amet, 你好世界 consectetur adipiscing elit sed do eiusmod.";
    const text = `${words}\n\n- ${words}\n\n> ${words}\n\n| a | b |\n|---|---|\n| ${words} | 你好 |\n\n\`\`\`\n${words}\n\`\`\`\n`;
    const rows = plain(text, width);
    const buffer = await onTerminal(rows, width);
    // Every row has one row of the terminal: none was wider.
    rows.forEach((row, index) => assert.equal(textOf(buffer, index), row));
    const broken = rows.filter((row) => /\b(?:ipsu|consectetu|adipiscin|eiusmo)$/.test(row));
    assert.deepEqual(broken, []);
  });
}

test("the columns of a table are as wide as their widest cell, in columns of the terminal", () => {
  assert.deepEqual(plain("| a | b |\n|---|---|\n| 你好 | x |\n", 40), [
    "┌──────┬───┐",
    "│ a    │ b │",
    "├──────┼───┤",
    "│ 你好 │ x │",
    "└──────┴───┘",
  ]);
});

test("code keeps its words and blanks, with colours for a language that is known", () => {
  const code = "const x = 1; // why\n\nif (x) {}";
  const expected = ["  const x = 1; // why", "", "  if (x) {}"];
  assert.deepEqual(plain(`\`\`\`ts\n${code}\n\`\`\``, 40), expected);
  const coloured = createMarkdown(createPalette(true), false);
  const [first = ""] = coloured(`\`\`\`ts\n${code}\n\`\`\``, 40);
  assert.match(first, /\u001b\[35mconst\u001b\[39m/);
  for (const language of ["no-such-language", "__proto__", "../../x", ""]) {
    assert.deepEqual(coloured(`\`\`\`${language}\n${code}\n\`\`\``, 40), expected, language);
  }
});

const LINKED = createMarkdown(createPalette(false), true);
const link = (address: string, text = address) => `\u001b]8;;${address}\u001b\\${text}\u001b]8;;\u001b\\`;

test("the address follows a link's text and is what a click opens", () => {
  assert.deepEqual(LINKED("[docs](https://example.com/a)", 60), [`docs (${link("https://example.com/a")})`]);
  assert.deepEqual(LINKED("https://example.com/a", 60), [link("https://example.com/a")]);
  assert.deepEqual(LINKED("[https://bank.example](https://evil.example)", 80), [
    `${link("https://bank.example")} (${link("https://evil.example")})`,
  ]);
  assert.deepEqual(plain("[docs](https://example.com/a)", 60), ["docs (https://example.com/a)"]);
});

test("only http, https and mailto addresses become links", () => {
  assert.ok(LINKED("[m](mailto:a@example.com)", 60)[0]?.includes("]8;;mailto:a@example.com"));
  for (const address of ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "vscode://x/y", "x:y"]) {
    const rows = LINKED(`[text](${address})`, 60);
    assert.deepEqual(rows, [`text (${address})`]);
  }
});

test("entities in text and addresses make no control characters", () => {
  for (const text of ["a &#27;[2J b", "[x](https://a.example/&#27;&#7;)", "`&#x1b;]0;t`", "![a &#27;[2J](x&#7;)"]) {
    const rows = LINKED(text, 60)
      .join("\n")
      .replaceAll(/\u001b\]8;;[^\u001b\u0007]*\u001b\\/g, "");
    assert.doesNotMatch(rows, /[\u0007\u001b\u009d]/, JSON.stringify(rows));
  }
});

test("a line of code that is broken keeps its margin, at each width", () => {
  const text = `\`\`\`ts\nconst words = [one, two, three, four];\n\`\`\``;
  assert.deepEqual(plain(text, 24), ["  const words = [one,", "  two, three, four];"]);
  assert.deepEqual(plain(text, 60), ["  const words = [one, two, three, four];"]);
  assert.deepEqual(plain(text, 24), ["  const words = [one,", "  two, three, four];"]);
});

test("comments are hidden, images are links with their text, and <br> is a line break", () => {
  for (const [text, rows] of [
    ["a <!-- hidden --> b", ["a b"]],
    ["one\n\n<!-- hidden\n\nfor long -->\n\ntwo", ["one", "", "two"]],
    ["- item <!-- hidden -->", ["- item"]],
    ["`<!-- code -->`", ["<!-- code -->"]],
    ["![a cat](https://x.example/c.png)", ["[image: a cat] (https://x.example/c.png)"]],
    ["see ![](pics/c.png)", ["see [image] (pics/c.png)"]],
    ["[![build](https://x.example/b.svg)](https://x.example)", ["[image: build] (https://x.example)"]],
    [`![dot](data:image/png;base64,${"A".repeat(5000)})`, ["[image: dot] (data:image/png;base64,…)"]],
    ["| a |\n|---|\n| x<br>y |", ["┌────┐", "│ a  │", "├────┤", "│ x  │", "│ y  │", "└────┘"]],
  ] as const) {
    assert.deepEqual(plain(text, 60), rows, text);
  }
  assert.deepEqual(LINKED("![cat](https://x.example/c.png)", 60), [
    `[image: cat] (${link("https://x.example/c.png")})`,
  ]);
  assert.deepEqual(LINKED("![cat](javascript:alert(1))", 60), ["[image: cat] (javascript:alert(1))"]);
});
