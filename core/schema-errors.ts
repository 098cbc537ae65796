/** Describes why a value does not match its JSON Schema: where, what was expected, what was given. */
import type { ErrorObject } from "ajv";
import { isSecretName } from "./secret-names.ts";
import { truncate } from "./truncate.ts";

/** One error of ajv, with its places as people read them. */
interface SchemaError {
  /** The place: `"tags.1"`, or "the arguments". */
  readonly at: string;
  /** A key below the place. */
  readonly below: (key: unknown) => string;
  readonly params: Readonly<Record<string, unknown>>;
  /** The value there, as text; only its type where the key is named like a secret. */
  readonly found: string;
  /** The keyword's own value in the schema. */
  readonly keyword: unknown;
  readonly parent: Readonly<Record<string, unknown>>;
}

type Sentence = (error: SchemaError) => string;

/** One sentence for the errors of one check, made with `verbose`. `root` names the value as a whole: "the arguments". */
export function describeSchemaErrors(errors: readonly ErrorObject[], root: string): string {
  // An error of `contains` follows one for each item, which add nothing.
  const contains = errors.filter(({ keyword }) => keyword === "contains");
  const outer = errors.filter(({ schemaPath }) => !contains.some((one) => schemaPath.startsWith(`${one.schemaPath}/`)));
  const telling = outer.filter(({ keyword }) => !REPEATS.has(keyword));
  const shown = telling.length === 0 ? outer : telling;
  return [...new Set(shown.map((error) => sentence(error, root)))].join(", or ");
}

/** Keywords that repeat the errors of the schemas below them. */
const REPEATS: ReadonlySet<string> = new Set(["anyOf", "oneOf", "if", "propertyNames"]);

function sentence(error: ErrorObject, root: string): string {
  const { keyword, instancePath, propertyName, data, params, message = "is not valid" } = error;
  const at = label(instancePath, root);
  const made = Object.hasOwn(SENTENCES, keyword) ? SENTENCES[keyword] : undefined;
  if (made === undefined) return `${at} ${message}`;
  return made({
    at: propertyName === undefined ? at : `a key of ${at}`,
    below: (key) => label(`${instancePath}/${escape(String(key))}`, root),
    params: params as SchemaError["params"],
    found: isSecretName(keysOf(instancePath).at(-1) ?? "") ? article(typeOf(data)) : shorten(propertyName ?? data),
    keyword: error.schema,
    parent: error.parentSchema ?? {},
  });
}

const SENTENCES: Readonly<Record<string, Sentence>> = {
  type: mustBe(({ type }) => [type].flat().map(article).join(" or ")),
  enum: mustBe(({ allowedValues }) => `one of ${(allowedValues as unknown[]).map(shorten).join(", ")}`),
  const: mustBe(({ allowedValue }) => shorten(allowedValue)),
  minimum: mustBe(({ limit }) => `at least ${String(limit)}`),
  maximum: mustBe(({ limit }) => `at most ${String(limit)}`),
  exclusiveMinimum: mustBe(({ limit }) => `more than ${String(limit)}`),
  exclusiveMaximum: mustBe(({ limit }) => `less than ${String(limit)}`),
  multipleOf: mustBe(({ multipleOf }) => `a multiple of ${String(multipleOf)}`),
  pattern: mustBe(({ pattern }) => `text that matches ${String(pattern)}`),
  format: mustBe(({ format }) => `text in the format ${String(format)}`),
  minLength: mustHave("at least", "character"),
  maxLength: mustHave("at most", "character"),
  minItems: mustHave("at least", "item"),
  maxItems: mustHave("at most", "item"),
  items: mustHave("at most", "item"),
  additionalItems: mustHave("at most", "item"),
  minProperties: mustHave("at least", "key"),
  maxProperties: mustHave("at most", "key"),
  contains: ({ at, keyword, found }) => `${at} must have an item that matches ${shorten(keyword)}; it is ${found}`,
  uniqueItems: ({ at, params }) =>
    `${at} has the same item twice, at ${String(params["j"])} and ${String(params["i"])}`,
  required: ({ below, params }) => `${below(params["missingProperty"])} is missing`,
  dependentRequired: needsAnother,
  dependencies: needsAnother,
  additionalProperties: ({ below, params, parent }) => unknownKey(below(params["additionalProperty"]), parent),
  unevaluatedProperties: ({ below, params, parent }) => unknownKey(below(params["unevaluatedProperty"]), parent),
  "false schema": ({ at, found }) => `${at} is not allowed; it is ${found}`,
  not: ({ at, keyword, found }) => `${at} must not match ${shorten(keyword)}; it is ${found}`,
  oneOf: ({ at, params, found }) =>
    `${at} must match one alternative only, but ${found} matches those at ${String(params["passingSchemas"])}`,
};

function mustBe(expected: (params: SchemaError["params"]) => string): Sentence {
  return ({ at, params, found }) => `${at} must be ${expected(params)}, not ${found}`;
}

function mustHave(bound: string, unit: string): Sentence {
  return ({ at, params, found }) => {
    const limit = Number(params["limit"]);
    return `${at} must have ${bound} ${limit} ${unit}${limit === 1 ? "" : "s"}; it is ${found}`;
  };
}

function needsAnother({ below, params }: SchemaError): string {
  return `${below(params["missingProperty"])} is missing; ${below(params["property"])} needs it`;
}

function unknownKey(at: string, { properties }: SchemaError["parent"]): string {
  const known = Object.keys((properties as object | undefined) ?? {});
  return `${at} is not known${known.length === 0 ? "" : `; expected ${known.join(", ")}`}`;
}

function article(type: unknown): string {
  if (type === "null") return type;
  return /^[aeio]/.test(String(type)) ? `an ${String(type)}` : `a ${String(type)}`;
}

/** At most 60 characters of JSON. */
function shorten(value: unknown): string {
  return truncate(JSON.stringify(value) ?? String(value), 60);
}

/** A JSON pointer as `"tags.1"`. */
function label(pointer: string, root: string): string {
  if (pointer === "") return root;
  return JSON.stringify(keysOf(pointer).join("."));
}

function keysOf(pointer: string): readonly string[] {
  const keys = pointer.split("/").slice(1);
  return keys.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function escape(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
