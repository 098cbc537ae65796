/** The quick parser of command lines answers as commander does, or leaves the words to it. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { Command } from "#cli/command-line/command";
import { parseCommandLine } from "#cli/command-line/parse";
import { buildProgram } from "#cli/command-line/with-commander";
import { commandPath } from "#cli/command-path";
import { createContext } from "#cli/context";
import { GLOBAL_OPTIONS } from "#cli/global-options";
import { createProgram } from "#cli/program";

const silent = { ...createContext({}), out: () => undefined, note: () => undefined };

interface Understood {
  readonly path: string;
  readonly parameters: unknown;
  readonly args: readonly string[];
  readonly all: object;
}

/** What a command would do its work with. */
async function understood(command: Command): Promise<Understood> {
  const { handler } = command;
  let parameters: unknown;
  command.handler = (...given: unknown[]) => (parameters = given.slice(0, -1));
  try {
    await command.run();
  } finally {
    command.handler = handler;
  }
  return { path: commandPath(command), parameters, args: [...command.args], all: command.optsWithGlobals() };
}

async function withCommander(program: Command, words: readonly string[]): Promise<Understood | undefined> {
  let found: Understood | undefined;
  const built = buildProgram(program, silent, async (command) => void (found = await understood(command)));
  await built.parseAsync(words, { from: "user" }).catch(() => undefined);
  return found;
}

/** The commands that do something, which may have others below them. */
function runnable(command: Command): readonly Command[] {
  const own = command.handler === undefined ? [] : [command];
  return [...own, ...command.commands.flatMap(runnable)];
}

const anyWord = fc.constantFrom(
  "x",
  "",
  "-",
  "--",
  "-5",
  "12",
  "text",
  "json",
  "--json=",
  "-Qc",
  "-qx",
  "--none",
  "a b",
);

/** Words for a command: mostly its own options with fitting values, and as many arguments as it takes. */
function wordsFor(command: Command): fc.Arbitrary<string[]> {
  const options = command.options.map(({ long, short, required, optional, argChoices }) => {
    const flag = fc.constantFrom(long, short ?? long);
    const value = fc.constantFrom(...(argChoices ?? ["x", "7", "a b", "k=v", ""]));
    if (!required && !optional)
      return fc.oneof(
        { weight: 9, arbitrary: flag.map((one) => [one]) },
        anyWord.map((one) => [one]),
      );
    return fc.oneof(
      fc.tuple(flag, value).map(([one, text]) => [one, text]),
      value.map((text) => [`${long}=${text}`]),
      { weight: 1, arbitrary: flag.map((one) => [one]) },
    );
  });
  const mandatory = command.options.filter((option) => option.mandatory).map(({ long }) => [`${long}=needed`]);
  const operands = command.registeredArguments.flatMap(({ isVariadic }) => (isVariadic ? [["1"], ["2"]] : [["1"]]));
  const path = commandPath(command).split(" ");
  const globals = fc.constantFrom([], [], ["--home", "/h"], ["--safe-mode"], ["--log-level=warn", "--accept-hooks"]);
  return fc
    .tuple(
      globals,
      fc.array(fc.oneof(...options), { maxLength: 3 }),
      fc.array(anyWord, { maxLength: 1 }),
      fc.nat(operands.length + 1),
      fc.nat(),
    )
    .map(([before, chosen, other, count, place]) => {
      const parts = [...chosen, ...mandatory, ...operands.slice(0, count), ...(place % 4 === 0 ? [other] : [])];
      // The words of the command in another order every time.
      const at = place % (parts.length + 1);
      return [...before, ...path, ...parts.slice(at).flat(), ...parts.slice(0, at).flat()];
    });
}

test("every command line that the quick parser reads, it reads as commander does", async () => {
  const { commands: names } = await createProgram(undefined, silent);
  for (const name of names.map((command) => command.name())) {
    const program = await createProgram(name, silent);
    await comparePrograms(program, runnable(program.commands.find((command) => command.name() === name)!));
  }
});

/** Only one command of the program is loaded, since commander's program is made again for every command line. */
async function comparePrograms(program: Command, commands: readonly Command[]): Promise<void> {
  const answered = new Set<string>();
  for (const command of commands) {
    const property = fc.asyncProperty(wordsFor(command), async (words) => {
      const quick = parseCommandLine(program, words);
      if (quick === undefined) return;
      const ours = await understood(quick);
      assert.deepEqual(ours, await withCommander(program, words), JSON.stringify(words));
      answered.add(ours.path);
    });
    await fc.assert(property, { numRuns: 25 });
  }
  assert.deepEqual(
    commands.map(commandPath).filter((path) => !answered.has(path)),
    [],
    "commands that commander always reads",
  );
}

test("mistakes and unusual forms are left to commander", async () => {
  const program = await createProgram("all", silent);
  const lines = [
    ["hooks"],
    ["hooks", "lst"],
    ["hooks", "list", "--jsn"],
    ["hooks", "list", "extra"],
    ["hooks", "test"],
    ["hooks", "--", "list"],
    ["send", "text"],
    ["send", "--name"],
    ["tasks", "list", "--limit", "many"],
    ["tasks", "list", "--status", "nope"],
    ["tasks", "list", "--json=yes"],
    ["chat", "--query", "a", "--query-file", "b"],
    ["chat", "-Qc"],
    ["chat", "-qtext"],
    ["--nome", "x", "hooks", "list"],
  ];
  for (const words of lines) assert.ok(parseCommandLine(program, words) === undefined, words.join(" "));
});

test("a global option before the command wins over the same one behind it", async () => {
  const program = await createProgram("hooks", silent);
  const command = parseCommandLine(program, ["--home", "/a", "hooks", "--home=/b", "list", "--home", "/c", "--json"]);
  assert.deepEqual(command?.optsWithGlobals(), { home: "/a", json: true });
  assert.equal(GLOBAL_OPTIONS.length, 4);
});
