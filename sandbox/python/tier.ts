/** The tier of `handler.py` hooks: all of them share one process of the user's Python (docs/python-hooks.md). */
import { HermesError } from "#core/errors";
import type { GatewayHook, Handler, HandlerReport, HandlerTier, HookVersion } from "#core/ports/tier";
import type { PythonBridge } from "./bridge.ts";
import { PythonExtension } from "./extension.ts";
import { PythonFailure } from "./failure.ts";
import { HANDLER_FILE } from "./sources.ts";

/** Creates the tier. Whoever made the bridge ends it. */
export function createPythonTier(bridge: PythonBridge): HandlerTier {
  return {
    source: "python",
    open: (hook, report) => new PythonHandler(hook, report, bridge),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

class PythonHandler implements Handler {
  readonly #hook: GatewayHook;
  readonly #extension: PythonExtension;

  constructor(hook: HookVersion, report: HandlerReport, bridge: PythonBridge) {
    const { name, folder, sources, timeoutSeconds } = hook;
    this.#hook = hook;
    this.#extension = new PythonExtension(bridge, {
      name,
      folder,
      entry: HANDLER_FILE,
      sources,
      timeoutSeconds,
      report,
    });
  }

  run(event_type: string, context: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.runText(event_type, JSON.stringify(context));
  }

  async runText(event_type: string, context: string): Promise<unknown> {
    try {
      return await this.#extension.run(event_type, context);
    } catch (error) {
      if (!(error instanceof PythonFailure)) throw error;
      // Where answers are not used, a value that is not plain data is no answer.
      if (error.kind === "answer" && !event_type.startsWith("command:")) return null;
      throw this.#hermesError(event_type, error);
    }
  }

  close(): Promise<void> {
    return this.#extension.close();
  }

  #hermesError(event: string, failure: PythonFailure): HermesError {
    const { name, handler: file } = this.#hook;
    const { kind, message: problem, seconds } = failure;
    const options = { cause: failure };
    switch (kind) {
      case "raised":
      case "answer":
        return new HermesError("HERMES_HANDLER_FAILED", { name, event, problem }, options);
      case "timeout":
        return new HermesError("HERMES_HANDLER_TIMEOUT", { name, event, seconds }, options);
      case "unusable":
      case "unavailable":
        return new HermesError("HERMES_HANDLER_UNUSABLE", { name, file, problem }, options);
      case "died":
      case "lost":
      case "off":
        return new HermesError("HERMES_HANDLER_DIED", { name, event, problem }, options);
    }
  }
}
