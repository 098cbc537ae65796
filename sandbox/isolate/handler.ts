/** A gateway hook in an isolate: its deadline, its errors, and its restarts. */
import { join } from "node:path";
import { HermesError, problemOf } from "#core/errors";
import { LOAD_MS, type Handler, type HandlerReport, type HookVersion } from "#core/ports/tier";
import { readAnswer } from "./answer.ts";
import { Capabilities, type CapabilityServices } from "./capabilities.ts";
import type { IsolateHost } from "./host.ts";
import type { IsolateHosts } from "./hosts.ts";
import { HOST_LIMITS, SIZE_LIMITS } from "./limits.ts";
import { IsolateClient, IsolateClientError } from "./client.ts";

export interface IsolateHandlerOptions {
  readonly hook: HookVersion;
  readonly report: HandlerReport;
  readonly hosts: IsolateHosts;
  readonly services: CapabilityServices;
}

export class IsolateHandler implements Handler {
  readonly #options: IsolateHandlerOptions;
  readonly #hook: HookVersion;
  readonly #capabilities: Capabilities;
  #client: IsolateClient | undefined;
  /** Set when it may have ended a shared process: from then on it gets its own process. */
  #alone = false;
  #closed = false;

  constructor(options: IsolateHandlerOptions) {
    this.#options = options;
    this.#hook = options.hook;
    this.#capabilities = new Capabilities(options.hook.directory, options.hook.allow, options.services);
  }

  run(event_type: string, context: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.runText(event_type, JSON.stringify(context));
  }

  async runText(event_type: string, text: string): Promise<unknown> {
    if (Buffer.byteLength(text) > SIZE_LIMITS.contextBytes) {
      throw this.#failed(event_type, `the event is larger than ${SIZE_LIMITS.contextBytes} bytes`);
    }
    let answer: string;
    try {
      answer = await this.#attempt(event_type, text).catch((error: unknown) => {
        // The process ended before the handler was called: try again, once.
        if (error instanceof IsolateClientError && error.kind === "gone" && !error.begun && !this.#closed) {
          return this.#attempt(event_type, text);
        }
        throw error;
      });
    } catch (error) {
      throw this.#hermesError(event_type, error);
    }
    try {
      return readAnswer(answer);
    } catch (error) {
      if (event_type.startsWith("command:")) throw this.#failed(event_type, problemOf(error), error);
      // Where answers are not used, a value that is not plain data is no answer.
      return null;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client?.end(new IsolateClientError("gone", "it was closed while it ran", { begun: true }));
  }

  async #attempt(event_type: string, context: string): Promise<string> {
    const client = await this.#ready();
    if (!client.isLoaded) await this.#load(client, event_type);
    const limitMs = Math.min(this.#hook.timeoutSeconds * 1000, 2 ** 31 - 1);
    let isOver = false;
    const expire = () => {
      if (isOver) return;
      // The process did not even take the event, so the handler is not the slow part.
      const unheard = !client.hasBegun;
      void client.end(
        unheard ? new IsolateClientError("gone", "its process did not answer") : this.#timeout(event_type),
      );
    };
    // If our own event loop was busy, first check whether the answer has arrived in time.
    const timer = setTimeout(() => setImmediate(expire), limitMs);
    try {
      return await client.run(event_type, context, limitMs);
    } finally {
      isOver = true;
      clearTimeout(timer);
    }
  }

  /** Loads the module, which is not part of the handler's deadline either. */
  async #load(client: IsolateClient, event: string): Promise<void> {
    const timer = setTimeout(() => void client.end(this.#timeout(event, LOAD_MS / 1000)), LOAD_MS);
    try {
      await client.load(LOAD_MS);
      this.#options.report.onLoaded?.();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Its client in a process that is ready. Starting a process is not part of the handler's deadline. */
  async #ready(): Promise<IsolateClient> {
    if (this.#closed) throw new IsolateClientError("gone", "it is closed", { begun: true });
    if (this.#client !== undefined) return this.#client;
    const { hook, report, hosts } = this.#options;
    report.onLoading?.();
    const host = takeHost(hosts, this.#alone);
    const onGone = (suspect: boolean) => {
      this.#client = undefined;
      this.#alone ||= suspect;
      hosts.release(host);
    };
    const client = new IsolateClient({ host, hook, report, capabilities: this.#capabilities, onGone });
    this.#client = client;
    const late = () => void host.kill(`its process did not start within ${HOST_LIMITS.startMs / 1000} s`);
    const timer = setTimeout(late, HOST_LIMITS.startMs);
    try {
      await host.ready;
      return client;
    } catch (error) {
      throw new IsolateClientError("unusable", problemOf(error));
    } finally {
      clearTimeout(timer);
    }
  }

  #hermesError(event: string, error: unknown): unknown {
    if (!(error instanceof IsolateClientError)) return error;
    const { name, folder, handler } = this.#hook;
    const problem = error.message;
    if (error.kind === "failed") return this.#failed(event, problem, error);
    if (error.kind === "gone")
      return new HermesError("HERMES_HANDLER_DIED", { name, event, problem }, { cause: error });
    const file = error.file === "" ? handler : join(folder, error.file);
    return new HermesError("HERMES_HANDLER_UNUSABLE", { name, file, problem }, { cause: error });
  }

  #failed(event: string, problem: string, cause?: unknown): HermesError {
    return new HermesError("HERMES_HANDLER_FAILED", { name: this.#hook.name, event, problem }, { cause });
  }

  #timeout(event: string, seconds = this.#hook.timeoutSeconds): HermesError {
    return new HermesError("HERMES_HANDLER_TIMEOUT", { name: this.#hook.name, event, seconds });
  }
}

/** Throws a {@link IsolateClientError} when the system cannot start a process. */
function takeHost(hosts: IsolateHosts, alone: boolean): IsolateHost {
  try {
    return hosts.take(alone);
  } catch (error) {
    throw new IsolateClientError("unusable", `its process cannot be started: ${problemOf(error)}`);
  }
}
