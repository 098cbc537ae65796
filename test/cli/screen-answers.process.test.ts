/* oxlint-disable no-control-regex -- escape sequences are what is looked for */
/** Answers as a person sees them: rendered while they arrive, and raw where they are read by programs. */
import assert from "node:assert/strict";
import test from "node:test";
import { startChat } from "../helpers/chat.ts";
import { Home } from "../helpers/hermes.ts";
import { startModelServer, type Reply } from "../helpers/model-server.ts";
import { noPty } from "../helpers/pty.ts";

const skip = noPty;
const ENTER = "\r";
const ESC = "\u001b";

const WORDS = "Some **bold** words that are long enough to be wrapped on a narrow terminal, and 你好世界.";
const MARKDOWN = `# Title

${WORDS}

- one
- two

\`\`\`js
const answer = 42; // the answer
\`\`\`

| name | value |
| ---- | ----- |
| 你好 | 1     |

[docs](https://example.com/docs), the end.
`;

/** The reply in pieces of so many characters, so that marks and sequences are split over them. */
function inPieces(text: string, length: number): Reply {
  const pieces = text.match(new RegExp(`[^]{1,${length}}`, "gu")) ?? [];
  return { deltas: pieces.map((content) => ({ content })) };
}

for (const columns of [80, 40]) {
  test(`a streamed answer is rendered, each row once (${columns} columns)`, { skip }, async (t) => {
    const { pty, screen, shows } = await startChat(t, { columns, replies: [inPieces(MARKDOWN, 3)] });
    pty.type(`go${ENTER}`);
    await shows(/end\.\n+›/);
    const lines = await screen.lines();
    const from = lines.indexOf("Title");
    const wrapped =
      columns === 80
        ? ["Some bold words that are long enough to be wrapped on a narrow terminal, and 你", "好世界."]
        : ["Some bold words that are long enough to", "be wrapped on a narrow terminal, and 你", "好世界."];
    const last =
      columns === 80 ? ["docs (https://example.com/docs), the end."] : ["docs (https://example.com/docs), the", "end."];
    assert.deepEqual(lines.slice(from, from + wrapped.length + 15 + last.length), [
      "Title",
      "",
      ...wrapped,
      "",
      "- one",
      "- two",
      "",
      "  const answer = 42; // the answer",
      "",
      "┌──────┬───────┐",
      "│ name │ value │",
      "├──────┼───────┤",
      "│ 你好 │ 1     │",
      "└──────┴───────┘",
      "",
      ...last,
      "",
    ]);
  });
}

test("an answer that is longer than the screen is in the scrollback completely", { skip }, async (t) => {
  const code = Array.from({ length: 60 }, (_, number) => `line(${number});`);
  const items = Array.from({ length: 60 }, (_, number) => `item ${number}`);
  const text = `\`\`\`js\n${code.join("\n")}\n\`\`\`\n\n${items.map((item) => `- ${item}`).join("\n")}\n\nthe end`;
  const { pty, screen, shows } = await startChat(t, { replies: [inPieces(text, 40)] });
  pty.type(`go${ENTER}`);
  await shows(/the end\n+›/);
  const lines = (await screen.lines()).map((line) => line.trim());
  const from = lines.indexOf("line(0);");
  assert.deepEqual(lines.slice(from, from + 123), [...code, "", ...items.map((item) => `- ${item}`), "", "the end"]);
});

test("--no-render shows an answer as the model writes it", { skip }, async (t) => {
  const { pty, screen, shows } = await startChat(t, { replies: [inPieces(MARKDOWN, 5)], args: ["--no-render"] });
  pty.type(`go${ENTER}`);
  await shows(/the end\.\n+›/);
  const text = (await screen.lines()).join("\n");
  for (const line of ["# Title", "```js", "| 你好 | 1     |", "[docs](https://example.com/docs), the end."]) {
    assert.ok(text.includes(line), line);
  }
});

test(
  "into a pipe and with -Q, an answer is what the model wrote; a single run on a terminal renders it",
  { skip },
  async (t) => {
    await using model = await startModelServer([1, 2, 3, 4].map(() => inPieces(MARKDOWN, 5)));
    const home = new Home(t);
    home.write("config.yaml", `model: { provider: openai-compatible, default: m, base_url: "${model.url}" }\n`);
    assert.equal((await home.run(["chat", "-q", "go"])).stdout, MARKDOWN);
    assert.equal((await home.run(["chat", "-Q", "-q", "go"])).stdout, MARKDOWN);
    const quiet = home.terminal(["chat", "-Q", "-q", "go"]);
    assert.equal(await quiet.exited, 0);
    assert.equal(quiet.raw().replaceAll("\r\n", "\n"), MARKDOWN);
    const shown = home.terminal(["chat", "-q", "go"]);
    assert.equal(await shown.exited, 0);
    assert.match(shown.output(), /\n- two\r\n\r\n {2}const answer = 42;/);
    assert.doesNotMatch(shown.output(), /```|\*\*bold/);
  },
);

test("links are links where the terminal knows them, and never hide where they lead", { skip }, async (t) => {
  const text = "[docs](https://example.com/docs) [bad](javascript:alert) https://plain.example";
  const { pty, shows } = await startChat(t, {
    columns: 120,
    replies: [{ text }, { text }],
    env: { TERM: "xterm-kitty", KITTY_WINDOW_ID: "1" },
  });
  pty.type(`go${ENTER}`);
  await shows(/docs \(https:\/\/example\.com\/docs\) bad \(javascript:alert\) https:\/\/plain\.example\n+›/);
  const opened = [...pty.raw().matchAll(/\u001b\]8;;([^\u001b]+)\u001b\\/g)].map(([, address]) => address);
  assert.deepEqual([...new Set(opened)], ["https://example.com/docs", "https://plain.example"]);
});

test("what a model writes is cleaned before it is rendered", { skip }, async (t) => {
  const hostile = [
    `**a${ESC}]0;TITLE\u0007b**`,
    `\`c${ESC}[2Jd\``,
    `[e](https://x.example/${ESC}]52;c;Q0xJUA==\u0007f)`,
    `&#27;]0;ENTITY&#7;`,
    `| g${ESC}[8mh |\n|---|\n| \u009b31mi |`,
    `\`\`\`js\nconst j = "${ESC}[2Jk"; \u009d0;T\u009c\n\`\`\`\nthe end`,
  ].join("\n\n");
  for (const env of [{}, { TERM: "xterm-kitty", KITTY_WINDOW_ID: "1" }]) {
    const { pty, screen, shows } = await startChat(t, { replies: [inPieces(hostile, 2)], env });
    pty.type(`go${ENTER}`);
    await shows(/the end\n+›/);
    const links = /\u001b\]8;;(?:https:\/\/x\.example\/f)?\u001b\\/g;
    const raw = pty.raw().replaceAll(links, "");
    for (const bad of [`${ESC}]`, `${ESC}[2J`, `${ESC}[8m`, "\u009b", "\u009d", "\u0007"]) {
      assert.ok(
        !raw.includes(bad),
        JSON.stringify([bad, raw.slice(Math.max(0, raw.indexOf(bad) - 40), raw.indexOf(bad) + 40)]),
      );
    }
    const text = (await screen.lines()).join("\n");
    for (const kept of ["ab", "cd", "e (https://x.example/f)", "gh", 'const j = "k";'])
      assert.ok(text.includes(kept), `${kept}\n${text}`);
  }
});

test("NO_COLOR takes the colours away, and a dumb terminal gets a plain line", { skip }, async (t) => {
  const styles = /\u001b\[[\d;]+m/;
  const { pty, shows } = await startChat(t, { replies: [{ text: MARKDOWN }], env: { NO_COLOR: "1" } });
  pty.type(`go${ENTER}`);
  await shows(/the end\.\n+›/);
  assert.doesNotMatch(pty.raw(), styles);

  await using model = await startModelServer([{ text: MARKDOWN }]);
  const home = new Home(t);
  home.write("config.yaml", `model: { provider: openai-compatible, default: m, base_url: "${model.url}" }\n`);
  const dumb = home.terminal(["chat"], { TERM: "dumb" });
  t.after(() => dumb.kill());
  await dumb.see("› ");
  dumb.type(`go${ENTER}`);
  await dumb.see("the end.");
  await dumb.see("› ");
  dumb.type("\u0004");
  assert.equal(await dumb.exited, 0);
  assert.ok(dumb.raw().includes("# Title"));
  assert.ok(!dumb.raw().includes(ESC), JSON.stringify(dumb.raw()));
});
