/** The hooks that are configured, and what is wrong with those that cannot run. No DOM. */
import { hookKey } from "./hooks-state.js";
import { isRecord, numberOf, textOf } from "./values.js";

/**
 * @typedef {object} ConfiguredHook
 * @property {string} key
 * @property {string} event may be a pattern, `agent:*`
 * @property {string} source
 * @property {string} name
 * @property {string} command
 * @property {string} matcher
 * @property {number | null} timeout in seconds
 * @property {boolean} failClosed whether its failure blocks
 * @property {string} state "" for one that may run; else `not approved`, `broken`, `skipped`, `off`, …
 * @property {boolean} isBad whether the state wants something to be done
 * @property {string} problem why it is broken or skipped
 * @property {boolean} hasRun as far as the log of the home knows
 */

export class ConfiguredHooks {
  /** @type {Map<string, ConfiguredHook>} */
  #hooks = new Map();
  /** @param {unknown} answer of `/api/hooks` */
  set(answer) {
    if (!isRecord(answer)) return;
    const hooks = (Array.isArray(answer["hooks"]) ? answer["hooks"] : []).filter(isRecord).map(configuredHook);
    this.#hooks = new Map(hooks.map((hook) => [hook.key, hook]));
  }

  /**
   * What is configured for a hook that has run: under its own event, or a pattern of it.
   *
   * @param {{ key: string, event: string, source: string, name: string }} hook
   */
  of({ key, event, source, name }) {
    const colon = event.indexOf(":");
    const pattern = colon === -1 ? undefined : hookKey({ event: `${event.slice(0, colon)}:*`, source, name });
    return this.#hooks.get(key) ?? (pattern === undefined ? undefined : this.#hooks.get(pattern));
  }

  /** @param {string} key */
  get(key) {
    return this.#hooks.get(key);
  }

  list() {
    return [...this.#hooks.values()];
  }

  /** Those that are switched on and cannot run. */
  bad() {
    return this.list().filter(({ isBad }) => isBad);
  }
}

/**
 * @param {Record<string, unknown>} hook
 * @returns {ConfiguredHook}
 */
function configuredHook(hook) {
  const [event, source, name] = [textOf(hook["event"]), textOf(hook["source"]), textOf(hook["name"])];
  const { state, isBad } = stateOf(hook);
  return {
    key: hookKey({ event, source, name }),
    event,
    source,
    name,
    command: textOf(hook["command"]),
    matcher: textOf(hook["matcher"]),
    timeout: numberOf(hook["timeout"]),
    failClosed: hook["fail_closed"] === true,
    state,
    isBad,
    problem: textOf(hook["reason"]) || textOf(hook["problem"]),
    hasRun: isRecord(hook["last_run"]),
  };
}

/**
 * In the words of `hermes hooks list`.
 *
 * @param {Record<string, unknown>} hook
 * @returns {{ state: string, isBad: boolean }}
 */
function stateOf({ source, enabled, allowed, drift, problem, state }) {
  if (state === "skipped") return { state: "skipped", isBad: true };
  if (textOf(problem) !== "") return { state: "broken", isBad: true };
  if (enabled !== true) return { state: "off", isBad: false };
  if (source !== "shell") return { state: "", isBad: false };
  if (drift === "missing") return { state: "script missing", isBad: true };
  if (allowed !== true) return { state: "not approved", isBad: true };
  return drift === "modified" ? { state: "script changed", isBad: true } : { state: "", isBad: false };
}
