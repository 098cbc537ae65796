/** When a question on the screen takes answers: keys come from the test, and time passes when it says so. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { MessageHistory } from "#cli/chat/message-history";
import { LineEditor } from "#cli/chat/screen/line-editor";
import { createPalette } from "#cli/chat/screen/palette";
import { ScreenLine } from "#cli/chat/screen/screen-line";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const PROMPT = "Allow? ";
const ENTER = "\r";

function openLine(t: TestContext) {
  let press: (key: string) => void = () => assert.fail("no keyboard yet");
  let due: (() => void) | undefined;
  const messages: string[] = [];
  /** Typed, but not read yet. */
  const pending: string[] = [];
  const nothing = () => undefined;
  const host = {
    palette: createPalette(false),
    rows: () => 24,
    columns: () => 80,
    refresh: nothing,
    flush: nothing,
    keep: nothing,
    print: nothing,
    clear: nothing,
    suspend: nothing,
    keyboard: (onKey: (key: string) => void) => {
      press = onKey;
      const drain = () => pending.splice(0).forEach((key) => onKey(key));
      return { drain, pause: nothing, resume: nothing, close: nothing };
    },
    later: (_: number, run: () => void) => {
      due = run;
      return () => (due = undefined);
    },
  };
  const history = new MessageHistory(join(temporaryFolder(t), "history"), (sentence) => assert.fail(sentence));
  t.after(() => history.close());
  const line = new ScreenLine(host, new LineEditor(host), history);
  line.onMessage((text) => messages.push(text));
  return {
    line,
    messages,
    pending,
    type: (keys: string) => keys.split("").forEach((key) => press(key)),
    /** The moment without keys passes. */
    pass: () => {
      const run = due;
      due = undefined;
      run?.();
    },
    row: () => line.render(80).rows.at(-1),
  };
}

test("keys of the first moment belong to the draft, and the moment begins again with each", async (t) => {
  const { line, messages, type, pass, row } = openLine(t);
  type("fix th");
  const answer = line.answer(PROMPT, new AbortController().signal);
  assert.equal(row(), "▹ fix th", "the draft can be seen while it is typed");
  type(`y${ENTER}`);
  assert.deepEqual(messages, ["fix thy"], "Enter sends the draft, as it did before");
  type("y");
  pass();
  assert.equal(row(), "Allow? ");
  type(`n${ENTER}`);
  assert.equal(await answer, "n");
  assert.equal(row(), "▹ y");
  // A later question waits again.
  const second = line.answer(PROMPT, new AbortController().signal);
  type("es");
  pass();
  type(`a${ENTER}`);
  assert.equal(await second, "a");
  assert.equal(row(), "▹ yes");
  assert.deepEqual(messages, ["fix thy"]);
});

test("what was typed before the question was drawn is a message or a draft, also when it is read late", async (t) => {
  const { line, messages, pending, type, pass } = openLine(t);
  pending.push("y", ENTER, "y");
  const answer = line.answer(PROMPT, new AbortController().signal);
  assert.deepEqual(messages, ["y"]);
  type(ENTER);
  assert.deepEqual(messages, ["y", "y"], "a part of it was typed before");
  pass();
  type(`n${ENTER}`);
  assert.equal(await answer, "n");
});

test("a short answer that was begun after the drawing is one without a wait, a message is not", async (t) => {
  const { line, messages, type, row } = openLine(t);
  const answer = line.answer(PROMPT, new AbortController().signal);
  type(`fix it${ENTER}`);
  assert.deepEqual(messages, ["fix it"]);
  type(`yes${ENTER}`);
  assert.equal(await answer, "yes");
  assert.equal(row(), "▹ ");
  assert.deepEqual(messages, ["fix it"]);
});

test("a turn that is stopped, or a line that is closed, takes its question along in the first moment, too", async (t) => {
  const interrupted = { code: "HERMES_INTERRUPTED" };
  const { line, type, pass, row } = openLine(t);
  const stop = new AbortController();
  const stopped = line.answer(PROMPT, stop.signal);
  stop.abort();
  await assert.rejects(stopped, interrupted);
  pass();
  type("draft");
  assert.equal(row(), "▹ draft");
  const closed = line.answer(PROMPT, new AbortController().signal);
  line.close();
  await assert.rejects(closed, interrupted);
});
