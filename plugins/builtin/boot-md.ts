/** Runs the home's checklist `BOOT.md` when the gateway has started, and delivers the report. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { definePlugin, type PluginContext } from "#plugins/api";

/** The start of the prompt. It must not contain phrases that the offline model would execute. */
const INSTRUCTIONS =
  "The gateway has just started, and nobody is waiting for an answer. Work through the checklist below. Your final " +
  "answer goes to the home channel as a message: report what needs attention. If there is nothing to report, answer " +
  "with exactly [SILENT], and no message is sent.";

/** Maximum size of a checklist. */
const MOST_BYTES = 256 * 1024;

/** `[SILENT]`, also in quotes, in bold or with a full stop. */
const SILENT = /^[\p{P}\p{S}\s]*\[SILENT\][\p{P}\p{S}\s]*$/iu;

export const bootMd = definePlugin({
  register(ctx) {
    ctx.on("gateway:startup", (_, context) => {
      // The dashboard publishes events of other processes; no gateway has started there.
      if (context["_forwarded"] === true) return;
      // Not returned, so that the emitter does not wait for a turn.
      void runChecklist(ctx);
    });
  },
});

async function runChecklist(ctx: PluginContext): Promise<void> {
  const file = join(ctx.home, "BOOT.md");
  try {
    const checklist = await readChecklist(file);
    if (checklist === undefined) return;
    const turn = ctx.run_turn({ prompt: `${INSTRUCTIONS}\n\n${checklist}` });
    if (await isRefused(turn)) return;
    say(ctx, `${file} runs now, in a session of its own.`);
    const { text, notice, completed } = await turn;
    if (!completed || text === null)
      return say(ctx, `${file} was not worked through to its end; see the log.`, "error");
    await report(ctx, file, notice === null ? text : `${text}\n\n(${notice})`.trim());
  } catch (error) {
    say(ctx, `${file} was not run: ${error instanceof Error ? error.message : String(error)}`, "error");
  }
}

/** True where no turns run, as in a replay of the event: no gateway has started there. */
async function isRefused(turn: Promise<unknown>): Promise<boolean> {
  const refused = turn.then(
    () => false,
    (error: unknown) => (error as { code?: unknown }).code === "HERMES_PLUGIN_UNAVAILABLE",
  );
  // It rejects at once.
  return Promise.race([refused, nextTurn(false)]);
}

/** The text, or undefined when the file is missing or empty. Rejects with read errors. */
async function readChecklist(file: string): Promise<string | undefined> {
  const stats = await stat(file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
  if (stats === undefined || stats.size === 0) return undefined;
  if (!stats.isFile()) throw new Error("it is not a file");
  if (stats.size > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES / 1024} KiB`);
  const text = await readFile(file, "utf8");
  return text.trim() === "" ? undefined : text;
}

async function report(ctx: PluginContext, file: string, text: string): Promise<void> {
  ctx.logger.info("the answer to %s: %s", file, text);
  if (SILENT.test(text)) return;
  try {
    await ctx.deliver(text);
  } catch (error) {
    // The answer is in the log; a home channel is optional.
    const problem = error instanceof Error ? error.message : String(error);
    say(ctx, `The answer to ${file} is in the log only: ${problem}`, "warn");
  }
}

/** Writes to the log and to standard error. */
function say(ctx: PluginContext, sentence: string, level: "info" | "warn" | "error" = "info"): void {
  ctx.logger[level](sentence);
  process.stderr.write(`boot-md: ${sentence}\n`);
}
