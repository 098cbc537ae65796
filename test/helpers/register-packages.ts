/** Lets code in this repository import `hermes-hooks/…` as an author's code does; for `node --import`. */
import { registerHooks } from "node:module";

const SOURCES: Readonly<Record<string, string>> = {
  "hermes-hooks/plugin": "../../plugins/api.ts",
  "hermes-hooks/testing": "../../cli/testing/test-host.ts",
};

registerHooks({
  resolve(specifier, context, nextResolve) {
    const source = SOURCES[specifier];
    return nextResolve(source === undefined ? specifier : new URL(source, import.meta.url).href, context);
  },
});
