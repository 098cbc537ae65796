/**
 * Checks a tool's arguments against its JSON Schema with ajv, which is loaded for the first call.
 * `$schema` selects the dialect; the default is the latest, 2020-12.
 */
import type { Ajv, ErrorObject, ValidateFunction } from "ajv";

type Schema = Readonly<Record<string, unknown>>;

/** The result of compiling a schema. */
export type CompiledSchema =
  | { readonly validate: ValidateFunction; readonly problem: null }
  | { readonly validate: null; readonly problem: string };

const DRAFT_7 = /^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/;
const compiled = new WeakMap<Schema, CompiledSchema>();

/** Compiles a schema once. The problem is a clause that says why the JSON Schema is invalid. Never rejects. */
export async function compileSchema(schema: Schema): Promise<CompiledSchema> {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const result = await compile(schema);
  compiled.set(schema, result);
  return result;
}

/** What is wrong with the arguments and where, as a sentence; undefined when they are valid. */
export async function findSchemaProblem(schema: Schema, args: unknown): Promise<string | undefined> {
  const { validate, problem } = await compileSchema(schema);
  if (validate === null) return `the tool's parameters are not a valid JSON Schema: ${problem}`;
  try {
    if (validate(args)) return undefined;
  } catch (error) {
    // A schema with an endless self-reference.
    return `the arguments cannot be checked: ${error instanceof Error ? error.message : String(error)}`;
  }
  return describe(validate.errors ?? [], schema);
}

async function compile(schema: Schema): Promise<CompiledSchema> {
  try {
    const ajv = DRAFT_7.test(String(schema["$schema"])) ? await draft7() : await draft2020();
    const validate = ajv.compile(schema);
    // Another tool's schema may have the same `$id`.
    ajv.removeSchema(schema);
    return { validate, problem: null };
  } catch (error) {
    return { validate: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Unknown keywords are allowed; a mistake in a known one is not. */
const OPTIONS = { strict: false, allErrors: false, logger: false } as const;

let ajv7: Promise<Ajv> | undefined;
let ajv2020: Promise<Ajv> | undefined;

function draft7(): Promise<Ajv> {
  return (ajv7 ??= import("ajv").then(({ Ajv: Draft7 }) => withFormats(new Draft7(OPTIONS))));
}

function draft2020(): Promise<Ajv> {
  return (ajv2020 ??= import("ajv/dist/2020.js").then(({ Ajv2020 }) => withFormats(new Ajv2020(OPTIONS))));
}

async function withFormats(ajv: Ajv): Promise<Ajv> {
  const { default: formats } = await import("ajv-formats");
  formats.default(ajv);
  return ajv;
}

/** The deepest error first, because it is the most helpful among alternatives. */
function describe(errors: readonly ErrorObject[], schema: Schema): string {
  const alternatives = errors.filter(({ keyword }) => keyword !== "anyOf" && keyword !== "oneOf");
  const shown = alternatives.length === 0 ? errors : alternatives;
  return [...new Set(shown.map((error) => sentence(error, schema)))].join(", or ");
}

function sentence({ keyword, instancePath, params, message = "is not valid" }: ErrorObject, schema: Schema): string {
  const at = (name?: string) => label(name === undefined ? instancePath : `${instancePath}/${name}`);
  const given = params as Record<string, unknown>;
  switch (keyword) {
    case "required":
      return `${at(String(given["missingProperty"]))} is missing`;
    case "additionalProperties":
    case "unevaluatedProperties": {
      const known = instancePath === "" ? Object.keys((schema["properties"] as object | undefined) ?? {}) : [];
      const list = known.length === 0 ? "" : `; expected ${known.join(", ")}`;
      return `${at(String(given["additionalProperty"] ?? given["unevaluatedProperty"]))} is not known${list}`;
    }
    case "enum":
      return `${at()} must be one of ${(given["allowedValues"] as unknown[]).map((one) => JSON.stringify(one)).join(", ")}`;
    case "type":
      return `${at()} must be ${[given["type"]]
        .flat()
        .map((name) => article(String(name)))
        .join(" or ")}`;
    default:
      return `${at()} ${message}`;
  }
}

function article(type: string): string {
  if (type === "null") return type;
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** `"tags.1"`, or the arguments as a whole. */
function label(pointer: string): string {
  if (pointer === "") return "the arguments";
  const parts = pointer.slice(1).split("/");
  return JSON.stringify(parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~")).join("."));
}
