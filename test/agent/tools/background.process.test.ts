import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import { createBackgroundCommands } from "#agent/tools/background";
import { createBuiltinTools } from "#agent/tools/builtin";
import { until } from "../../helpers/poll.ts";
import { makeToolbox } from "./toolbox.ts";

function bench(context: TestContext) {
  const box = makeToolbox();
  const background = createBackgroundCommands();
  context.after(() => background[Symbol.asyncDispose]());
  const [terminal] = createBuiltinTools({ ...box.deps, background });
  const { signal } = new AbortController();
  const call = async (args: Record<string, unknown>, session_id = "one") =>
    (await terminal!.execute(args, { tool_call_id: "c", session_id, cwd: box.project, signal, depth: 0 })) as Record<
      string,
      string
    >;
  return { box, background, call };
}

/** A command that writes a file again and again, and its id. */
async function ticking({ box, call }: ReturnType<typeof bench>, name: string, session = "one") {
  const file = join(box.project, name);
  const { id, output_file } = await call(
    { command: `echo begun; while :; do date >> ${file}; sleep 0.05; done`, background: true },
    session,
  );
  await until(() => existsSync(file), "the command runs");
  return { id: id!, output: output_file!, file };
}

test("a background command returns at once, keeps running, and its output is in a private file", async (t) => {
  const made = bench(t);
  const { output, file } = await ticking(made, "ticks");
  await until(() => readFileSync(output, "utf8").startsWith("begun\n"), "the output is in the file");
  assert.equal(statSync(output).mode & 0o777, 0o600);
  const { size } = statSync(file);
  await until(() => statSync(file).size > size, "it goes on");
});

test("stop ends one command and its children, by its id and in its session only", async (t) => {
  const made = bench(t);
  const first = await ticking(made, "first");
  const second = await ticking(made, "second");
  await assert.rejects(made.call({ stop: first.id }, "another"), /no background command .*this session has none/);
  await assert.rejects(made.call({ stop: "bg-none" }), new RegExp(`this session has ${first.id}, ${second.id}`));
  assert.partialDeepStrictEqual(await made.call({ stop: first.id }), { id: first.id, status: "stopped" });
  const { size } = statSync(first.file);
  const other = statSync(second.file).size;
  await until(() => statSync(second.file).size > other + 60, "the other one goes on");
  assert.equal(statSync(first.file).size, size);
  assert.match(readFileSync(first.output, "utf8"), /\[ended: /);
});

test("the end of a session ends its commands, the end of the host all of them", async (t) => {
  const made = bench(t);
  const first = await ticking(made, "first", "one");
  const second = await ticking(made, "second", "two");
  await made.background.endSession("one");
  const { size } = statSync(first.file);
  const other = statSync(second.file).size;
  await until(() => statSync(second.file).size > other + 60, "the other session goes on");
  assert.equal(statSync(first.file).size, size);
  await made.background[Symbol.asyncDispose]();
  assert.ok(!existsSync(dirname(second.output)));
});

test("a command that cannot start is an error, and without background what is left behind is killed", async (t) => {
  const made = bench(t);
  const file = join(made.box.project, "left");
  await made.call({
    command: `(while :; do date >> ${file}; sleep 0.05; done) & until [ -e ${file} ]; do sleep 0.05; done`,
  });
  const { size } = statSync(file);
  const peer = await ticking(made, "peer");
  const before = statSync(peer.file).size;
  await until(() => statSync(peer.file).size > before + 60, "time passes");
  assert.equal(statSync(file).size, size);
});
