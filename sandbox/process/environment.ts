import { isSecretName } from "#core/secret-names";

/**
 * The environment for a child: `env` without the variables named like secrets, except those listed in `passthrough`
 * (exact names). Returns a new object.
 */
export function filterEnvironment(env: NodeJS.ProcessEnv, passthrough: readonly string[]): NodeJS.ProcessEnv {
  const passed = new Set(passthrough);
  return Object.fromEntries(Object.entries(env).filter(([name]) => passed.has(name) || !isSecretName(name)));
}
