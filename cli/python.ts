/** The user's Python, for everything in this process that runs Python code. */
import type { Config } from "#core/home/config";
import type { Log } from "#core/home/log";
import type { PluginCodeLoader } from "#core/ports/plugin-code";
import type { PythonBridge } from "#sandbox/python/bridge";
import type { PythonPlace } from "#sandbox/python/interpreter";

export interface PythonOptions {
  /** The configuration of now. */
  readonly config: () => Config;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

export interface Python extends AsyncDisposable {
  /** Makes the bridge when it is first asked for; its process starts when code is first called. */
  bridge(): Promise<PythonBridge>;
  /** After a reload: uses another interpreter from the next call on, if the configuration now names one. */
  configure(): Promise<void>;
}

/** Loads and starts nothing yet. */
export function openPython({ config, home, env, log }: PythonOptions): Python {
  let made: Promise<PythonBridge> | undefined;
  return {
    bridge: () => (made ??= makeBridge()),
    async configure() {
      (await made)?.refresh();
    },
    async [Symbol.asyncDispose]() {
      await (await made)?.[Symbol.asyncDispose]();
    },
  };

  async function makeBridge(): Promise<PythonBridge> {
    const { PythonBridge: Bridge } = await import("#sandbox/python/bridge");
    const { findPython } = await import("#sandbox/python/interpreter");
    const find = () => findPython(pythonPlace(config(), env));
    return new Bridge({ find, env: { ...env, HERMES_HOME: home }, log });
  }
}

/** Loads Python plugins. */
export function pythonPlugins(python: Python): PluginCodeLoader {
  return (code) => async (ctx) => {
    const { createPythonRegister } = await import("#sandbox/python/plugin");
    await createPythonRegister(() => python.bridge(), code)(ctx);
  };
}

/** Where to look for the interpreter. */
export function pythonPlace({ values }: Config, env: NodeJS.ProcessEnv): PythonPlace {
  return { configured: values.python, env };
}
