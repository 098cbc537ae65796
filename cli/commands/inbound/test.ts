/** `hermes inbound test`: sends a payload through a hook as a sender would, on a port of its own. Nothing is injected. */
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import type { Command } from "#cli/command-line/command";
import { grantExplicitTest } from "#allowlist/decide";
import { visible } from "#allowlist/visible";
import { EXIT, HermesError, problemOf } from "#core/errors";
import { loadConfig } from "#core/home/config";
import { openMemoryDatabase } from "#core/home/database";
import { demandFor } from "#core/home/demands";
import type { InboundRecord } from "#core/home/inbound-log";
import type { WebhookInbox } from "#daemon/inbound/deliver";
import type { InboundHook } from "#daemon/inbound/hooks";
import { InboundReceiver } from "#daemon/inbound/receiver";
import { parseRequest } from "#daemon/inbound/request";
import { SCHEMES } from "#daemon/inbound/schemes";
import type { RunScript, ScriptEnd } from "#daemon/inbound/script";
import { EmbeddedInboundRuns } from "#daemon/storage/embedded-inbound-runs";
import { newId } from "#daemon/storage/ids";
import type { CliContext } from "#cli/context";
import { inboundHooksOf } from "#cli/inbound/scripts";
import { createRunner, demandHook } from "#cli/inbound/start";
import { interruptible } from "#cli/shutdown";

export interface InboundTestOptions {
  readonly payload: string;
  readonly sign?: true;
  readonly json?: true;
}

interface InboundTestReport {
  readonly status: number;
  readonly body: string;
  /** What the agent would get, as it is marked; null for nothing. */
  readonly injected: string | null;
  readonly exit_code: number | null;
  readonly stderr: string;
  readonly detail: string | null;
  readonly duration_ms: number;
}

/** Throws HERMES_INBOUND_UNKNOWN, HERMES_PAYLOAD_INVALID, HERMES_CONFIG_* and HERMES_INTERRUPTED. */
export async function testInbound(
  name: string,
  options: InboundTestOptions,
  command: Command,
  context: CliContext,
): Promise<void> {
  const paths = context.paths(command);
  const config = await loadConfig(paths, context.env);
  for (const warning of config.warnings) context.warn(warning);
  const place = { cwd: process.cwd(), env: context.env, home: paths.home };
  // Its answer is the one that the script gives, so it is not given before.
  const hook = { ...demandHook(name, inboundHooksOf(config.values, place)), answersFirst: false };
  demandFor("inbound", config, name);
  const payload = await readPayload(options.payload);
  const run = createRunner({ decide: (request) => grantExplicitTest(request) }, { context, paths, config }, place);
  const report = await interruptible(async (signal) => {
    const tried = await tryRequest(hook, payload, { run, signal, signs: options.sign === true });
    if (signal.aborted) throw new HermesError("HERMES_INTERRUPTED", {});
    return tried;
  });
  if (options.json) context.json(report);
  else context.out(describe(report, options));
  if (report.status >= 400) context.exit(EXIT.failed);
}

async function readPayload(file: string): Promise<Buffer> {
  try {
    return file === "-" ? await buffer(process.stdin) : await readFile(file);
  } catch (error) {
    throw new HermesError("HERMES_PAYLOAD_INVALID", { source: file, problem: problemOf(error) }, { cause: error });
  }
}

async function tryRequest(
  hook: InboundHook,
  payload: Buffer,
  { run, signal, signs }: { readonly run: RunScript; readonly signal: AbortSignal; readonly signs: boolean },
): Promise<InboundTestReport> {
  const inbox = new KeptMessage();
  const database = openMemoryDatabase();
  const records: InboundRecord[] = [];
  let ended: ScriptEnd | undefined;
  const silent = () => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log };
  const receiver = new InboundReceiver({
    session: "test",
    hooks: [hook],
    run: async (script) => (ended = await run({ ...script, signal })),
    inbox,
    runs: new EmbeddedInboundRuns(database),
    log,
    record: (record) => void records.push(record),
  });
  const now = Math.floor(Date.now() / 1000);
  const proof = signs ? SCHEMES[hook.verify].sign(payload, hook.secret, { id: newId(), now }) : {};
  const headers = { "content-type": "application/json", "content-length": String(payload.length), ...proof };
  const method = hook.methods.includes("POST") ? "POST" : (hook.methods[0] ?? "POST");
  const request = parseRequest(method, hook.path === "*" ? "/" : hook.path, Object.entries(headers).flat());
  const started = performance.now();
  try {
    const answer = await receiver.answer(hook.listener, request, async (most) =>
      payload.length > most ? "too_large" : payload,
    );
    const result = ended?.kind === "ran" ? ended.result : undefined;
    return {
      status: answer.status,
      body: answer.body.toString(),
      injected: inbox.content,
      exit_code: result?.exit_code ?? null,
      stderr: result?.stderr ?? "",
      detail: records[0]?.detail ?? null,
      duration_ms: Math.round(performance.now() - started),
    };
  } finally {
    await receiver.stop(0);
    database.close();
  }
}

/** An inbox for one message. */
class KeptMessage implements WebhookInbox {
  content: string | null = null;

  async add({ content }: { readonly content: string }): Promise<{ kind: "stored" }> {
    this.content = content;
    return { kind: "stored" };
  }

  async remember(): Promise<void> {
    // The process ends with this request.
  }

  async isRemembered(): Promise<boolean> {
    return false;
  }
}

function describe(report: InboundTestReport, { sign }: InboundTestOptions): string {
  const { status, body, injected, exit_code: code, stderr, detail, duration_ms: took } = report;
  const parts = [
    `answer: ${status} ${visible(body.trimEnd())}`.trimEnd(),
    `exit code: ${code ?? "none"}, ${took} ms`,
    ...(detail === null ? [] : [`problem: ${visible(detail)}`]),
    ...(status === 401 && !sign ? ["With --sign, the request is signed with the hook's secret."] : []),
    ...(stderr.trim() === ""
      ? []
      : [
          "standard error:",
          ...stderr
            .trimEnd()
            .split("\n")
            .map((line) => `  ${visible(line)}`),
        ]),
    ...(injected === null
      ? ["Nothing would be injected."]
      : ["injected:", ...injected.split("\n").map((line) => `  ${visible(line)}`)]),
  ];
  return parts.join("\n");
}
