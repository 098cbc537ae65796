import assert from "node:assert/strict";
import test from "node:test";
import { FrameSource } from "#core/forward/frame-source";
import type { Outlet } from "#core/forward/outlet";
import { ForwardQueue } from "#core/forward/queue";

function fixture(outlets: number) {
  const queue = new ForwardQueue();
  const all = Array.from({ length: outlets }, () => queue.addOutlet());
  const redacted: string[] = [];
  const redact = (text: string) => {
    redacted.push(text);
    return text.replaceAll("hunter2", "[redacted]");
  };
  const onError = (error: unknown) => assert.fail(String(error));
  const source = new FrameSource({
    queue,
    src: "s",
    redact,
    unfinished: () => null,
    onError,
    onReady: () => undefined,
  });
  const pull = (outlet: Outlet) => {
    const texts: string[] = [];
    while (source.hasMore(outlet)) texts.push(...source.pull(outlet, 256).map(({ text }) => text));
    return JSON.parse(`[${texts.join(",")}]`) as { event_type: string; context: { n: number; text?: string } }[];
  };
  return { queue, outlets: all, redacted, source, pull };
}

test("frames are made once for all destinations, and are the same", () => {
  const { queue, outlets, redacted, pull } = fixture(2);
  for (let n = 0; n < 100; n++) queue.push("a:b", { n, ...(n === 7 && { text: "hunter2" }) });
  const first = pull(outlets[0]!);
  const { length } = redacted;
  assert.deepEqual(pull(outlets[1]!), first);
  assert.equal(redacted.length, length);
  assert.deepEqual(
    first.map(({ context }) => context.n),
    Array.from({ length: 100 }, (_, n) => n),
  );
  assert.equal(first[7]!.context.text, "[redacted]");
});

test("several frames are separate for several destinations, so that each can be a message", () => {
  for (const [count, parts] of [
    [1, 1],
    [2, 3],
  ] as const) {
    const { queue, outlets, source } = fixture(count);
    for (let n = 0; n < 3; n++) queue.push("a:b", { n });
    assert.equal(source.pull(outlets[0]!, 256).length, parts);
  }
});

test("an event without a valid name is counted by every destination that should have got it", () => {
  const { queue, outlets, pull } = fixture(2);
  queue.push("", {});
  queue.push("a:b", { n: 1 });
  for (const outlet of outlets) {
    assert.equal(pull(outlet).length, 1);
    assert.deepEqual([outlet.dropped, outlet.waiting], [1, 0]);
  }
});
