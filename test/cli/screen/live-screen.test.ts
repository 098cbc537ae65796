/* oxlint-disable no-control-regex -- escape sequences are what is looked for */
/** Drawing: what is printed and what stays below it, read from a model of the terminal. */
import assert from "node:assert/strict";
import test from "node:test";
import headless from "@xterm/headless";
import { LiveScreen, type LiveRows } from "#cli/chat/screen/live-screen";

interface Start {
  readonly columns?: number;
  readonly rows?: number;
  readonly live?: LiveRows;
}

function start({ columns = 40, rows = 8, live = { rows: ["› "] } }: Start = {}) {
  const terminal = new headless.Terminal({
    cols: columns,
    rows,
    scrollback: 1000,
    convertEol: true,
    allowProposedApi: true,
  });
  const shown = { live };
  let raw = "";
  const screen = new LiveScreen(
    {
      write: (text) => {
        raw += text;
        terminal.write(text);
      },
      get columns() {
        return terminal.cols;
      },
      get rows() {
        return terminal.rows;
      },
      reflows: true,
      reflowsCursorLine: false,
    },
    () => shown.live,
  );
  async function lines(): Promise<string[]> {
    screen.flush();
    await new Promise<void>((resolve) => terminal.write("", resolve));
    const buffer = terminal.buffer.active;
    const all = Array.from(
      { length: buffer.length },
      (_, row) => buffer.getLine(row)?.translateToString(true).trimEnd() ?? "",
    );
    while (all.at(-1) === "") all.pop();
    return all;
  }
  const cursor = () => ({ row: terminal.buffer.active.cursorY, column: terminal.buffer.active.cursorX });
  return { screen, terminal, shown, lines, cursor, raw: () => raw };
}

test("printed lines go above the live rows, also when the screen is full", async () => {
  const { screen, lines, cursor } = start({ live: { rows: ["status", "› draft"], cursor: { row: 1, column: 4 } } });
  for (let number = 1; number <= 20; number++) {
    screen.print(`line ${number}\n`);
    screen.flush();
  }
  assert.deepEqual(await lines(), [...Array.from({ length: 20 }, (_, n) => `line ${n + 1}`), "status", "› draft"]);
  assert.deepEqual(cursor(), { row: 7, column: 4 });
});

test("a line that is not complete is live until it is", async () => {
  const { screen, lines } = start();
  screen.print("half");
  assert.deepEqual(await lines(), ["half", "›"]);
  screen.print(" and half\nmore");
  assert.deepEqual(await lines(), ["half and half", "more", "›"]);
  screen.endLine();
  assert.deepEqual(await lines(), ["half and half", "more", "›"]);
});

test("a printed line that is wider than the terminal leaves nothing of what was below it", async () => {
  const { screen, terminal, lines } = start({ columns: 10, live: { rows: ["1234567890", "1234567890"] } });
  await lines();
  screen.print("a line of seventeen\n");
  assert.deepEqual(
    await lines(),
    ["a line of", "seventeen", "1234567890", "1234567890"]
      .map((line, index) => (index === 0 ? "a line of " : line))
      .map((line) => line.trimEnd()),
  );
  assert.ok(terminal.buffer.active.getLine(1)?.isWrapped, "it can be copied as one line");
});

test("live rows that become fewer leave nothing behind, and nothing scrolls while only they change", async () => {
  const { screen, shown, lines } = start({ rows: 4 });
  screen.print("above\n");
  await lines();
  for (let step = 0; step < 10; step++) {
    shown.live = { rows: [`status ${step}`, "menu", "› "] };
    assert.deepEqual(await lines(), ["above", `status ${step}`, "menu", "›"]);
    shown.live = { rows: [`› ${step}`] };
    assert.deepEqual(await lines(), ["above", `› ${step}`]);
  }
});

test("more live rows than the terminal has: the last ones show", async () => {
  const { shown, lines } = start({ rows: 4 });
  shown.live = { rows: ["1", "2", "3", "4", "5", "› "] };
  assert.deepEqual(await lines(), ["4", "5", "›"]);
});

test("rows that are kept stay where they are", async () => {
  const { screen, shown, lines, raw } = start({ live: { rows: ["› sent"] } });
  await lines();
  const before = raw().length;
  shown.live = { rows: ["▹ "] };
  screen.keep(["› sent"]);
  assert.deepEqual(await lines(), ["› sent", "▹"]);
  assert.ok(!raw().slice(before).includes("› sent"), "it was not written again");
});

test("the scrollback is never cleared, whatever the size becomes", async () => {
  const { screen, terminal, lines, raw } = start({
    live: { rows: ["x".repeat(38), "› draft"], cursor: { row: 1, column: 7 } },
  });
  terminal.write("from the shell\n");
  screen.print("output\n");
  await lines();
  for (const columns of [20, 40, 30, 60]) {
    terminal.resize(columns, 8);
    const all = await lines();
    assert.equal(all.filter((line) => line === "› draft").length, 1, all.join("\n"));
    assert.equal(all.at(-1), "› draft");
  }
  assert.ok((await lines()).includes("output"));
  assert.doesNotMatch(raw(), /\u001b\[[23]J|\u001b\[\?1049/);
});

test("a draft that no longer fits in its row takes nothing of the output along", async () => {
  const { screen, terminal, lines } = start({
    columns: 60,
    live: { rows: [`› ${"draft ".repeat(9).trim()}`], cursor: { row: 0, column: 55 } },
  });
  screen.print("one\ntwo\n");
  await lines();
  terminal.resize(20, 8);
  assert.deepEqual((await lines()).slice(0, 2), ["one", "two"]);
});

test("paused, text goes to the terminal as it comes; then the rows are back", async () => {
  const { screen, lines } = start();
  screen.print("one\n");
  screen.pause();
  assert.deepEqual(await lines(), ["one"]);
  screen.print("Allow? y\n");
  assert.deepEqual(await lines(), ["one", "Allow? y"]);
  screen.resume();
  assert.deepEqual(await lines(), ["one", "Allow? y", "›"]);
  screen.print("half");
  screen.close();
  assert.deepEqual(await lines(), ["one", "Allow? y", "half"]);
});
