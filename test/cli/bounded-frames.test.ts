import assert from "node:assert/strict";
import test from "node:test";
import { boundFrames, MOST_UNREAD } from "#cli/daemon/bounded-frames";

test("frames that come while too much is unread are left out, and the log says so once and how many", () => {
  const [shown, logged]: [string[], unknown[][]] = [[], []];
  let unread = 0;
  const show = boundFrames({
    show: (frame) => void shown.push(frame.session_id),
    unread: () => unread,
    log: { warn: (...line: unknown[]) => void logged.push(line) },
  });
  const say = (session_id: string) => show({ type: "assistant", session_id, content: "", finish_reason: "stop" });
  unread = MOST_UNREAD;
  say("kept");
  unread++;
  for (const name of ["lost", "lost too"]) say(name);
  assert.deepEqual(logged, [["standard output is not read: frames are left out"]]);
  unread = 0;
  for (const name of ["again", "and again"]) say(name);
  assert.deepEqual(shown, ["kept", "again", "and again"]);
  assert.deepEqual(logged.slice(1), [["standard output is read again", { omitted: 2 }]]);
});
