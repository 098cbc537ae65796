/** The user's Python, for everything in this process that runs Python code. */
import type { Config } from "#core/home/config";
import type { Log } from "#core/home/log";
import type { PythonBridge } from "#sandbox/python/bridge";
import type { PythonPlace } from "#sandbox/python/interpreter";

export interface PythonOptions {
  /** The configuration of now. */
  readonly config: () => Config;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

export interface Python extends AsyncDisposable {
  /** Makes the bridge when it is first asked for; its process starts when code is first called. */
  bridge(): Promise<PythonBridge>;
  /** Uses another interpreter from the next call on, if the configuration now names one. */
  refresh(): Promise<void>;
}

/** Loads and starts nothing yet. */
export function openPython({ config, env, log }: PythonOptions): Python {
  let made: Promise<PythonBridge> | undefined;
  return {
    bridge: () => (made ??= makeBridge()),
    async refresh() {
      (await made)?.refresh();
    },
    async [Symbol.asyncDispose]() {
      await (await made)?.[Symbol.asyncDispose]();
    },
  };

  async function makeBridge(): Promise<PythonBridge> {
    const { PythonBridge: Bridge } = await import("#sandbox/python/bridge");
    const { findPython } = await import("#sandbox/python/interpreter");
    return new Bridge({ find: () => findPython(pythonPlace(config(), env)), env, log });
  }
}

/** Where to look for the interpreter. */
export function pythonPlace({ values }: Config, env: NodeJS.ProcessEnv): PythonPlace {
  return { configured: values.python, env };
}
