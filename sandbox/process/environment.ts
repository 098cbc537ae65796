/** Names that hold secrets as a rule (CONTRACT §6): `*_KEY`, `*_TOKEN`, `*_SECRET`, `*PASSWORD*`, in any case. */
const SECRET_NAME = /(?:_KEY|_TOKEN|_SECRET)$|PASSWORD/i;

/**
 * The environment that a child may see: `env` less the variables named like secrets, except those that
 * `passthrough` names (exactly). Gives a new object.
 */
export function filterEnvironment(env: NodeJS.ProcessEnv, passthrough: readonly string[]): NodeJS.ProcessEnv {
  const passed = new Set(passthrough);
  return Object.fromEntries(Object.entries(env).filter(([name]) => passed.has(name) || !SECRET_NAME.test(name)));
}
