/** The size of a terminal changes while an answer arrives: everything of it is in the scrollback at the end. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import test from "node:test";
import type { WriteStream } from "node:tty";
import headless from "@xterm/headless";
import { AnswerView } from "#cli/chat/screen/answer-view";
import { ChatScreen } from "#cli/chat/screen/chat-screen";
import { createMarkdown } from "#cli/chat/screen/markdown";

type Size = readonly [columns: number, rows: number];

const words = (name: string, count: number) => Array.from({ length: count }, (_, number) => `${name}${number}`);
const SENTENCE = words("word", 300).join(" ");
const ITEMS = words("item", 25).map((item) => `- **${item}** and more words that make it long`);
const CODE = words("line", 40).map((line) => `const ${line} = "a value";`);
const QUOTE = words("said", 120).join(" ");
const ANSWER = [
  "# Title",
  SENTENCE,
  ITEMS.join("\n"),
  `\`\`\`js\n${CODE.join("\n")}\n\`\`\``,
  `> ${QUOTE}`,
  "the end",
].join("\n\n");
/** What must be there, in this order. */
const MARKS = [...words("word", 300), ...words("item", 25), ...words("line", 40), ...words("said", 120), "end"];

/** Streams the answer, with a new size behind each part, and gives the words of screen and scrollback. */
async function stream(sizes: readonly Size[]): Promise<string[]> {
  const [[columns, rows]] = sizes as [Size];
  const terminal = new headless.Terminal({
    cols: columns,
    rows,
    scrollback: 5000,
    convertEol: true,
    allowProposedApi: true,
  });
  const output = Object.assign(new EventEmitter(), {
    columns,
    rows,
    write: (text: string) => (terminal.write(text), true),
  }) as unknown as WriteStream;
  const settled = async () => {
    // What a drawing prints comes with the next one.
    for (let drawing = 0; drawing < 2; drawing++) {
      await Promise.resolve();
      screen.flush();
    }
    await new Promise<void>((resolve) => terminal.write("", resolve));
  };
  using screen = new ChatScreen(output, { typing: false, showsStatus: true });
  const view = new AnswerView(screen, createMarkdown(screen.palette, false));
  const parts = ANSWER.match(/[^]{1,60}/g)!;
  const each = Math.ceil(parts.length / sizes.length);
  for (const [index, part] of parts.entries()) {
    view.add(part);
    await settled();
    const [width, height] = sizes[Math.floor((index + 1) / each)] ?? [output.columns, output.rows];
    if (width === output.columns && height === output.rows) continue;
    terminal.resize(width, height);
    Object.assign(output, { columns: width, rows: height }).emit("resize");
    await settled();
  }
  view.finish();
  await settled();
  const buffer = terminal.buffer.active;
  // A row that the terminal itself broke is one line.
  const lines = Array.from({ length: buffer.length }, (_, row) => buffer.getLine(row)!);
  const text = lines.map((line) => `${line.isWrapped ? "" : "\n"}${line.translateToString(true)}`).join("");
  return text.match(/\b(?:word|item|line|said)\d+|\bend\b/g) ?? [];
}

/** How many of the marks are there, each behind the one before it. */
function inOrder(found: readonly string[]): number {
  let at = 0;
  for (const word of found) if (word === MARKS[at]) at++;
  return at;
}

const CASES: Readonly<Record<string, readonly Size[]>> = {
  narrower: [
    [80, 24],
    [40, 24],
  ],
  "much narrower": [
    [120, 24],
    [30, 24],
  ],
  wider: [
    [40, 24],
    [80, 24],
  ],
  "much wider": [
    [30, 12],
    [160, 12],
  ],
  lower: [
    [80, 24],
    [80, 8],
  ],
  higher: [
    [80, 8],
    [80, 30],
  ],
  "narrower and back, over and over": [
    [80, 24],
    [50, 24],
    [80, 24],
    [35, 24],
    [100, 24],
    [40, 24],
    [80, 24],
  ],
  "both at once": [
    [100, 30],
    [45, 10],
    [90, 20],
    [40, 8],
    [120, 40],
  ],
};

for (const [name, sizes] of Object.entries(CASES)) {
  test(`${name}: no word of an answer is lost`, async () => {
    const found = await stream(sizes);
    const lost = MARKS[inOrder(found)];
    const near = found.lastIndexOf(MARKS[inOrder(found) - 1]!);
    assert.equal(lost, undefined, `lost or misplaced near ${found.slice(near - 5, near + 10).join(" ")}`);
  });
}

test("a terminal that keeps its size, or grows, shows each word once", async () => {
  for (const sizes of [[[80, 24]], [[40, 10]], CASES["wider"]!, CASES["much wider"]!, CASES["higher"]!] as const) {
    const found = await stream(sizes as readonly Size[]);
    const at = found.findIndex((word, index) => word !== MARKS[index]);
    assert.equal(
      at,
      -1,
      `${JSON.stringify(sizes)}: ${found.slice(at - 5, at + 5).join(" ")}, ${found.length} of ${MARKS.length}`,
    );
  }
});
