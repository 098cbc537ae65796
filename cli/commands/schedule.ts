import type { Command } from "#cli/command-line/command";
import { HermesError } from "#core/errors";
import type { ScheduleStore } from "#core/ports/schedules";
import { contentProblem } from "#daemon/session/wire";
import { visible } from "#allowlist/visible";
import { printList, type Column } from "../list.ts";
import type { CliContext } from "../context.ts";
import { checkedName, wakeDaemon } from "#cli/daemon/find";
import { withHomeState, type HomeState } from "../home-state.ts";
import { wholeId } from "#core/short-id";
import { asShownInsideAgent } from "../inside-agent-texts.ts";

interface JsonOption {
  readonly json?: true;
}

const examples = (verb: string) => `
Examples:
  hermes ${verb} add --name ci-watcher '0 9 * * 1-5' 'summarize the builds of the night'
  hermes ${verb} add --name ci-watcher 'in 10m' 'is the build green?'
  hermes ${verb} add --name ci-watcher '2026-12-24T18:00' 'wish me a merry Christmas'

Cron has five fields (minute, hour, day, month, weekday), in local time. What was due while the daemon did not run
comes once when it starts.`;

/** `hermes schedule add|list|remove` (CONTRACT §13). */
export function addScheduleCommand(program: Command, context: CliContext): void {
  describe(program, "schedule", context);
}

/** The same as `hermes schedule`. */
export function addCronCommand(program: Command, context: CliContext): void {
  describe(program, "cron", context);
}

function describe(program: Command, verb: string, context: CliContext): void {
  const schedule = program
    .command(verb)
    .description("Send messages to a daemon at certain times.")
    .addHelpText("after", examples(verb));
  schedule
    .command("add")
    .description("store a schedule and print its id, whether the daemon runs or not")
    .argument("<when>", "five-field cron, in 10s|10m|2h, or an ISO time")
    .argument("<prompt>", "the message")
    .requiredOption("--name <name>", "the daemon")
    .option("--json", "print JSON")
    .addHelpText("after", examples(verb))
    .action((when: string, prompt: string, options: JsonOption & { name: string }, command: Command) =>
      add({ when, prompt, ...options }, command, context),
    );
  schedule
    .command("list")
    .description("list the schedules, the next one first")
    .option("--name <name>", "only those of this daemon")
    .option("--json", "print JSON")
    .action((options: JsonOption & { name?: string }, command: Command) => list(options, command, context));
  schedule
    .command("remove")
    .description("delete a schedule")
    .argument("<id>", "the schedule's id, or its beginning")
    .action((id: string, _options: unknown, command: Command) => remove(id, verb, command, context));
}

interface AddOptions extends JsonOption {
  readonly name: string;
  readonly when: string;
  readonly prompt: string;
}

function add({ name, when, prompt, json }: AddOptions, command: Command, context: CliContext): Promise<void> {
  return withSchedules(command, context, true, async (store, { paths, storage }) => {
    checkedName(name, "hermes schedule add --name ci-watcher 'in 10m' 'is the build green?'");
    const problem = contentProblem(prompt);
    if (problem !== undefined) throw new HermesError("HERMES_USAGE", { problem: `Nothing was scheduled: ${problem}.` });
    const { addSchedule } = await import("#daemon/schedules/add");
    const added = await addSchedule(store, { name, when, prompt }, new Date(await (await storage()).now()));
    await wakeDaemon(paths.run, name);
    if (json) context.json(added);
    else context.out(added.id);
  });
}

const COLUMNS: readonly Column[] = [
  { head: "SCHEDULE" },
  { head: "DAEMON" },
  { head: "WHEN" },
  { head: "NEXT", kind: "time" },
  { head: "PROMPT", kind: "line" },
];

function list({ name, json }: JsonOption & { name?: string }, command: Command, context: CliContext): Promise<void> {
  return withSchedules(command, context, false, async (store, { config }) => {
    const found = (await store.list(name)).map(({ set_at: _, ...shown }) => shown);
    const schedules = await asShownInsideAgent(found, config, context.env);
    if (json) return context.json({ schedules });
    if (schedules.length === 0) return context.out("No schedules.");
    const rows = schedules.map((one) => [one.id, visible(one.name), visible(one.when), one.next_at, one.prompt]);
    printList(context, COLUMNS, rows);
  });
}

function remove(written: string, verb: string, command: Command, context: CliContext): Promise<void> {
  return withSchedules(command, context, false, async (store) => {
    const find = (beginning: string) => store.find(beginning);
    const id = await wholeId(written, { noun: "schedule", list: `hermes ${verb} list`, find });
    if (!(await store.remove(id))) {
      throw new HermesError("HERMES_ID_UNKNOWN", { noun: "schedule", id, list: `hermes ${verb} list` });
    }
    context.out(`The schedule ${id} is removed.`);
  });
}

function withSchedules(
  command: Command,
  context: CliContext,
  creates: boolean,
  use: (store: ScheduleStore, state: HomeState) => Promise<void>,
): Promise<void> {
  return withHomeState(command, context, { creates }, async (state) => {
    const { schedules } = await state.storage();
    await use(schedules, state);
  });
}
