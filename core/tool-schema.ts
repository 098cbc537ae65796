/**
 * Checks a tool's arguments against its JSON Schema with ajv, which is loaded for the first schema.
 * `$schema` selects the dialect; the default is 2020-12, or draft 7 if the schema is valid only there.
 */
import type { Ajv, Options, ValidateFunction } from "ajv";
import { problemOf } from "./errors.ts";
import { describeSchemaErrors } from "./schema-errors.ts";

type Schema = Readonly<Record<string, unknown>>;

/** The result of compiling a schema. */
export type CompiledSchema =
  | { readonly validate: ValidateFunction; readonly problem: null }
  | { readonly validate: null; readonly problem: string };

interface Dialect {
  readonly name: string;
  readonly uri: RegExp;
  /** Makes its checker, which costs some 20 ms: once, when the first schema needs it. */
  readonly load: () => Promise<Ajv>;
}

const compiled = new WeakMap<Schema, CompiledSchema>();

/** Compiles a schema once. The problem is a clause that says why the JSON Schema is invalid. Never rejects. */
export async function compileSchema(schema: Schema): Promise<CompiledSchema> {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const result = await compile(schema);
  compiled.set(schema, result);
  return result;
}

/** What is wrong with the arguments and where, as a sentence; undefined when they are valid. Never rejects. */
export async function findSchemaProblem(schema: Schema, args: unknown): Promise<string | undefined> {
  const { validate, problem } = await compileSchema(schema);
  if (validate === null) return `the tool's parameters are not a valid JSON Schema: ${problem}`;
  try {
    if (validate(args)) return undefined;
  } catch (error) {
    // A schema with an endless self-reference.
    return `the arguments cannot be checked: ${problemOf(error)}`;
  }
  return describeSchemaErrors(validate.errors ?? [], "the arguments");
}

async function compile(schema: Schema): Promise<CompiledSchema> {
  const { $schema, ...body } = schema;
  const named = typeof $schema === "string" ? $schema : JSON.stringify($schema);
  const dialects = named === undefined ? DIALECTS : DIALECTS.filter(({ uri }) => uri.test(named));
  if (dialects.length === 0) {
    const names = DIALECTS.map(({ name }) => name).join(", ");
    return { validate: null, problem: `its "$schema" is ${named}; supported are ${names}` };
  }
  let first: CompiledSchema | undefined;
  for (const { load } of dialects) {
    const result = compileWith(await load(), body);
    if (result.problem === null) return result;
    first ??= result;
  }
  return first!;
}

function compileWith(ajv: Ajv, schema: Schema): CompiledSchema {
  // Its check returns a promise, which looks like a yes and rejects where nobody catches it.
  if (schema["$async"] === true) return { validate: null, problem: 'its "$async" is not supported' };
  if (/^\s*https?:\/\/json-schema\.org\//.test(String(schema["$id"]))) {
    return { validate: null, problem: 'its "$id" is that of JSON Schema itself' };
  }
  try {
    if (ajv.validateSchema(schema) !== true) {
      return { validate: null, problem: describeSchemaErrors(ajv.errors ?? [], "the schema") };
    }
    return { validate: ajv.compile(schema), problem: null };
  } catch (error) {
    return { validate: null, problem: problemOf(error) };
  } finally {
    // Another tool's schema may have the same `$id`.
    ajv.removeSchema(schema);
  }
}

/** With the flag `u`, as the dialects ask; without it where that is an error: many authors write `[\w-.]`. */
function toRegExp(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return new RegExp(pattern);
  }
}

/** Unknown keywords are allowed; a mistake in a known one is not. */
const OPTIONS: Options = {
  strict: false,
  logger: false,
  // For messages that show the value.
  verbose: true,
  // `toString` is not an argument that was given.
  ownProperties: true,
  // ajv needs `code` only to write checks into files.
  code: { regExp: Object.assign(toRegExp, { code: "" }) },
};

/** In the order in which they are tried. */
const DIALECTS: readonly Dialect[] = [
  {
    name: "2020-12",
    uri: /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/,
    load: once(async () => new (await import("ajv/dist/2020.js")).Ajv2020(OPTIONS)),
  },
  {
    name: "draft-07",
    uri: /^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/,
    load: once(async () => new (await import("ajv")).Ajv(OPTIONS)),
  },
  {
    name: "2019-09",
    uri: /^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/,
    load: once(async () => new (await import("ajv/dist/2019.js")).Ajv2019(OPTIONS)),
  },
];

function once(make: () => Promise<Ajv>): () => Promise<Ajv> {
  let made: Promise<Ajv> | undefined;
  return () => (made ??= make().then(addFormats));
}

async function addFormats(ajv: Ajv): Promise<Ajv> {
  const { default: formats } = await import("ajv-formats");
  formats.default(ajv);
  return ajv;
}
