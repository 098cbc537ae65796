import { isSecretName } from "#core/secret-names";

/**
 * The environment that a child may see: `env` less the variables named like secrets, except those that
 * `passthrough` names (exactly). Gives a new object.
 */
export function filterEnvironment(env: NodeJS.ProcessEnv, passthrough: readonly string[]): NodeJS.ProcessEnv {
  const passed = new Set(passthrough);
  return Object.fromEntries(Object.entries(env).filter(([name]) => passed.has(name) || !isSecretName(name)));
}
