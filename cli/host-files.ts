/** The log and the hook log of a host, without secrets. */
import { problemOf } from "#core/errors";
import { openJsonLines } from "#core/home/jsonl";
import { openLog, type LogFile, type LogOptions } from "#core/home/log";
import { ensureFolder, type HomePaths } from "#core/home/paths";
import type { RunSink } from "#core/ports/hook";
import { createRedactor, type Redactor } from "#core/home/redact";
import { isSecretName } from "#core/secret-names";
import { fileSink } from "#core/runs";
import type { CliContext, GlobalOptions } from "./context.ts";

export interface HostFiles {
  readonly log: LogFile;
  readonly redact: Redactor;
  readonly sink: RunSink;
  /** Redacts the secrets of this configuration, too, from now on. */
  keepSecret(values: unknown): void;
  /** Passes each line of the log on, from now on. Returns its undo. */
  streamTo(listener: LineListener): () => void;
  /** Warns once that the home cannot be written. */
  readonly warnOnce: (sentence: string) => void;
  close(): Promise<void>;
}

/** Gets a line of the log, without secrets, and its fields. */
type LineListener = NonNullable<LogOptions["onLine"]>;

interface HostFilesOptions {
  readonly context: CliContext;
  readonly globals: GlobalOptions;
  readonly paths: HomePaths;
}

/** Opens the log and the hook log. Warns of each that cannot be written, and tries again while the program runs. */
export function openFiles({ context, globals, paths }: HostFilesOptions): HostFiles {
  let warned = false;
  const warnOnce = (sentence: string) => {
    if (warned) return;
    warned = true;
    context.warn(sentence);
  };
  const lost = (file: string) => (error: unknown) => context.warn(`${file} cannot be written: ${problemOf(error)}`);
  const secrets = new Set<string>();
  let redactNow = createRedactor(context.env);
  const unfinished: Redactor["unfinished"] = (text, options) => redactNow.unfinished(text, options);
  const redact = Object.assign((text: string) => redactNow(text), { unfinished });
  // Hooks write there, too, and expect the folders of every hermes home.
  for (const folder of [paths.logs, paths.run]) tryFolder(folder);
  const listeners = new Set<LineListener>();
  const log = openLog({
    path: paths.log,
    level: globals.logLevel,
    redact,
    onLine: (line, fields) => listeners.forEach((listener) => listener(line, fields)),
    onError: lost(paths.log),
  });
  const runs = openJsonLines({ path: paths.hookLog, onError: lost(paths.hookLog) });
  const toFile = fileSink({ append: (line) => runs.append(line), redact });
  const flushOnExit = () => runs.flush();
  process.once("exit", flushOnExit);
  return {
    log,
    redact,
    warnOnce,
    keepSecret(values) {
      for (const secret of secretsOf(values)) secrets.add(secret);
      redactNow = createRedactor(context.env, [...secrets]);
    },
    streamTo(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    sink: (run, hook) => {
      toFile(run, hook);
      if (run.detail !== null) log.warn(run.detail, { event: run.event, hook: run.name, outcome: run.outcome });
    },
    close: async () => {
      runs.close();
      process.off("exit", flushOnExit);
      await log.close();
    },
  };
}

/** A home that cannot be written is reported by the first file that should be. */
function tryFolder(folder: string): void {
  try {
    ensureFolder(folder);
  } catch {
    // Reported where it is used.
  }
}

/** The values of a configuration that must never be written: those under keys named like secrets, and MCP headers. */
export function secretsOf(values: unknown): readonly string[] {
  const { mcp_servers: servers, storage } = (values ?? {}) as {
    readonly mcp_servers?: Readonly<Record<string, unknown>>;
    readonly storage?: unknown;
  };
  return [...namedSecretsOf(values), ...Object.values(servers ?? {}).flatMap(headerSecretsOf), ...passwordOf(storage)];
}

function namedSecretsOf(value: unknown, name = ""): readonly string[] {
  if (typeof value === "string") return isSecretName(name) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((inner) => namedSecretsOf(inner, name));
  return Object.entries(value).flatMap(([key, inner]) => namedSecretsOf(inner, key));
}

/** The password in the url of a database, as it is written and as it is meant. */
function passwordOf(url: unknown): readonly string[] {
  if (typeof url !== "string" || !URL.canParse(url)) return [];
  const { password } = new URL(url);
  return password === "" ? [] : [password, decodeURIComponent(password)];
}

/** Headers of a server are for signing in, whatever their names; `Bearer TOKEN` may be repeated without its first word. */
function headerSecretsOf(server: unknown): readonly string[] {
  const { headers } = (server ?? {}) as { readonly headers?: unknown };
  return Object.values(headers ?? {}).flatMap((value) => [String(value), String(value).replace(/^\w+\s+/, "")]);
}
