/** Options of fastify for servers whose routes have no schemas, which are all of ours: bodies are checked by hand. */

function refuse(): never {
  throw new TypeError("a route of hermes has a schema, and no compiler for it");
}

/** Without these, fastify loads ajv and a compiler of serializers, which take 8 MB and are never called. */
export const WITHOUT_SCHEMAS = {
  schemaController: { compilersFactory: { buildValidator: refuse, buildSerializer: refuse } },
} as const;
