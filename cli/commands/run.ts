import type { Command } from "#cli/command-line/command";
import { Option } from "#cli/command-line/option";
import { EXIT, HermesError } from "#core/errors";
import { demandFor } from "#core/home/demands";
import { processStartOf } from "#core/process-identity";
import type { Task } from "#core/ports/tasks";
import { OUTPUT_FORMATS, type OutputFormat } from "../chat/renderers.ts";
import type { CliContext } from "../context.ts";
import type { TaskHome } from "../tasks/home.ts";
import { checkedTag, waitsForTag } from "../tasks/tags.ts";
import { wholeNumber } from "../whole-number.ts";

const EXAMPLES = `
Examples:
  hermes run 'analyze this codebase'                run a task and wait for its answer
  hermes run 'analyze this codebase' --background   run it in the background and print its id
  git diff | hermes run - --background              read the prompt from standard input
  hermes run --daemon --name ci-watcher             a session that stays; see hermes send, ps and stop`;

interface RunOptions {
  readonly background?: true;
  readonly timeout?: number;
  readonly idempotencyKey?: string;
  readonly maxTurns?: number;
  readonly quiet?: true;
  readonly outputFormat: OutputFormat;
  readonly json?: true;
  readonly daemon?: true;
  readonly name?: string;
  readonly hook?: readonly string[];
  /** Another name of `outputFormat`. */
  readonly format?: "text" | "jsonl";
  readonly tag?: string;
  /** Set by a worker: the stored task to run here. */
  readonly task?: string;
}

/** `hermes run` (CONTRACT §10), and with `--daemon` a session that stays (§13). */
export function addRunCommand(program: Command, context: CliContext): void {
  program
    .command("run")
    .description("Run a task: one turn of the agent, listed by `hermes tasks`.")
    .argument("[prompt]", "what to do; - reads standard input")
    .option("--background", "store the task, print its id and exit; a worker runs it")
    .option("--timeout <s>", "seconds that the task may take; 0 for no limit", seconds)
    .option("--idempotency-key <key>", "the same key gives the same task, whatever its status")
    .option("--tag <tag>", "with --background: only a worker with this tag takes the task", (tag) =>
      checkedTag("--tag", tag),
    )
    .option("-Q, --quiet", "print only the answer")
    .option("--max-turns <n>", "limit the model requests", wholeNumber("--max-turns"))
    .addOption(new Option("--output-format <format>", "output format").choices(OUTPUT_FORMATS).default("text", "text"))
    .addOption(new Option("--format <format>", "text, or jsonl: the same as stream-json").choices(["text", "jsonl"]))
    .option("--json", "with --background: print the task as JSON")
    .option("--daemon", "stay, and take messages from hermes send, schedules and webhooks; needs --name")
    .option("--name <name>", "with --daemon: the name of the session, which the next start goes on with")
    .option("--hook <name>", "with --daemon: take what this inbound webhook receives; repeatable", collect)
    .addOption(new Option("--task <id>").hideHelp())
    .addHelpText("after", EXAMPLES)
    .action(async (prompt: string | undefined, options: RunOptions, command: Command) => {
      if (options.task !== undefined) return runStored(options.task, command, context);
      if (options.daemon) return runDaemon(prompt, options, command, context);
      for (const [key, what] of [
        ["name", "--name is the name of a daemon"],
        ["hook", "--hook is an inbound webhook of a daemon"],
      ] as const) {
        if (options[key] === undefined) continue;
        throw new HermesError("HERMES_USAGE", { problem: `${what}, and needs --daemon.` });
      }
      const text = await promptOf(prompt);
      await (options.background ? submit(text, options, command, context) : runHere(text, options, command, context));
    });
}

/** What a session that stays has no use for. */
const TASK_OPTIONS = ["background", "timeout", "idempotencyKey", "maxTurns", "json", "tag"] as const;

async function runDaemon(
  prompt: string | undefined,
  options: RunOptions,
  command: Command,
  context: CliContext,
): Promise<void> {
  const other = TASK_OPTIONS.find((key) => options[key] !== undefined);
  if (other !== undefined) {
    const flag = `--${other.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new HermesError("HERMES_USAGE", { problem: `${flag} is for tasks: a daemon does not take it.` });
  }
  const { runDaemon: run } = await import("#cli/daemon/run");
  const { name, hook: hooks = [] } = options;
  await run({ name, hooks, prompt, outputFormat: formatOf(options), quiet: options.quiet === true }, command, context);
}

function collect(name: string, before: readonly string[] = []): readonly string[] {
  return [...before, name];
}

function formatOf({ format, outputFormat }: RunOptions): OutputFormat {
  return format === "jsonl" ? "stream-json" : (format ?? outputFormat);
}

function seconds(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0 && text.trim() !== "") return value;
  throw new HermesError("HERMES_USAGE", { problem: `--timeout takes a number of seconds, not "${text}".` });
}

/** Throws HERMES_USAGE when there is none. */
async function promptOf(written: string | undefined): Promise<string> {
  const piped = written === "-" || (written === undefined && !process.stdin.isTTY);
  const { text: readAll } = await import("node:stream/consumers");
  const prompt = piped ? await readAll(process.stdin) : (written ?? "");
  if (prompt.trim() !== "") return prompt.replace(/\n$/, "");
  throw new HermesError("HERMES_USAGE", {
    problem: "A task needs a prompt: hermes run 'what to do', or hermes run - with the prompt on standard input.",
  });
}

async function submit(prompt: string, options: RunOptions, command: Command, context: CliContext): Promise<void> {
  const { withTasks } = await import("../tasks/home.ts");
  const { ensureWorker } = await import("../tasks/workers.ts");
  if (context.globals(command).acceptHooks) await approveHooks(command, context);
  const task = await withTasks(
    command,
    context,
    async ({ store, stores: { workers }, config, paths }): Promise<Task> => {
      const { enabled, timeout } = config.values.background;
      if (!enabled) throw new HermesError("HERMES_BACKGROUND_OFF", {});
      // A worker could not start, and would have nobody to tell.
      demandFor("worker", config);
      const submitted = await store.submit({
        prompt,
        cwd: process.cwd(),
        timeout: options.timeout ?? timeout,
        maxTurns: options.maxTurns ?? null,
        submittedOn: "cli",
        idempotencyKey: options.idempotencyKey ?? null,
        runner: null,
        tag: options.tag,
      });
      const { status, tag } = submitted;
      if (status === "queued") await ensureWorker({ paths, workers, tag });
      const waiting = tag === undefined ? undefined : waitsForTag(submitted, await workers.list());
      if (waiting !== undefined) context.note(waiting);
      return submitted;
    },
    { creates: true },
  );
  if (options.json) context.json(task);
  else context.out(task.id);
}

/** Records the approvals now: there is nobody to ask when the task runs. */
async function approveHooks(command: Command, context: CliContext): Promise<void> {
  const { allowHooks } = await import("./hooks/approve.ts");
  const all = { event: undefined, line: undefined, all: true } as const;
  await allowHooks(all, command, { ...context, out: () => undefined });
}

async function runHere(prompt: string, options: RunOptions, command: Command, context: CliContext): Promise<void> {
  for (const flag of ["json", "tag"] as const) {
    if (options[flag] !== undefined)
      throw new HermesError("HERMES_USAGE", { problem: `--${flag} needs --background.` });
  }
  const { withTasks } = await import("../tasks/home.ts");
  const { runTask } = await import("../tasks/perform.ts");
  const { createRenderer } = await import("../chat/renderers.ts");
  const { openTurnDisplay } = await import("../chat/turn-display.ts");
  const { reportStart } = await import("#daemon/tasks/events");
  const runner = { pid: process.pid, start: processStartOf(process.pid) };
  const maxTurns = options.maxTurns ?? null;
  const { task, timeout, isNew, config } = await withTasks(
    command,
    context,
    async ({ store, config: known }) => {
      const limit = options.timeout ?? known.values.background.timeout;
      const submitted = await store.submit({
        prompt,
        cwd: process.cwd(),
        timeout: limit,
        maxTurns,
        submittedOn: "cli",
        idempotencyKey: options.idempotencyKey ?? null,
        runner,
      });
      return { task: submitted, timeout: limit, isNew: submitted.pid === process.pid, config: known };
    },
    { creates: true },
  );
  if (!isNew) {
    const { showOutput } = await import("./tasks/output.ts");
    const format = formatOf(options);
    return showOutput(
      task.id,
      { follow: true, outputFormat: format === "json" ? "stream-json" : format },
      command,
      context,
    );
  }
  const isPlain = options.quiet === true || formatOf(options) !== "text";
  const display = isPlain ? undefined : openTurnDisplay({ context, verbose: { on: false }, isHere: true });
  await runTask({
    task: { id: task.id, prompt, attempt: task.attempt, maxTurns, timeout },
    config,
    command,
    context,
    rendererFor: (host) =>
      createRenderer({
        format: formatOf(options),
        quiet: options.quiet === true,
        streaming: () => host.dispatcher.mayStream(),
        reasoning: { on: process.stdout.isTTY && process.stderr.isTTY },
        display,
        context,
      }),
    display,
    structured: formatOf(options) !== "text",
    onReady: (host, store) =>
      store.started(
        task.id,
        task.attempt,
        runner,
        reportStart((event, payload) => host.webhooks.deliveriesFor(event, payload), "cli"),
      ),
    isWorkers: false,
  });
}

/** The process of a background task, which a worker has started. */
async function runStored(id: string, command: Command, context: CliContext): Promise<void> {
  const { withTasks } = await import("../tasks/home.ts");
  const { runTask } = await import("../tasks/perform.ts");
  const find = async (home: TaskHome) => {
    const running = await home.store.running();
    return {
      found: running.find((task) => task.id === id && task.isHere && task.holder?.pid === process.ppid),
      config: home.config,
    };
  };
  const { found, config } = await withTasks(command, context, find, { waits: true });
  if (found === undefined) throw new HermesError("HERMES_ID_UNKNOWN", { noun: "task", id, list: "hermes tasks list" });
  process.chdir(found.cwd);
  await runTask({ task: found, config, command, context, structured: true, isWorkers: true }).catch(
    (error: unknown) => {
      context.exit(EXIT.failed);
      throw error;
    },
  );
}
