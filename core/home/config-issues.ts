/** Describes what is wrong with a configuration. Loaded only when there is something to validate, as it loads zod. */
import { z } from "zod";
import { buildConfigSchema } from "./config-schema.ts";

export type ConfigIssue =
  | { readonly kind: "type"; readonly path: (string | number)[]; readonly problem: string }
  | { readonly kind: "unknown"; readonly path: (string | number)[]; readonly candidates: readonly string[] };

/** Every issue of the given sections: unknown keys, and values of a wrong type. */
export function findConfigIssues(value: Record<string, unknown>): ConfigIssue[] {
  const schema = buildConfigSchema(z);
  const result = schema.safeParse(value);
  if (result.success) return [];
  return result.error.issues.flatMap((issue): ConfigIssue[] => {
    const path = issue.path.map((key) => (typeof key === "number" ? key : String(key)));
    if (issue.code === "unrecognized_keys") {
      const candidates = keysAt(schema, path);
      return issue.keys.map((key) => ({ kind: "unknown", path: [...path, key], candidates }));
    }
    return [{ kind: "type", path, problem: describe(issue, valueAt(value, path)) }];
  });
}

/** The JSON Schema of `config.yaml`, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return { title: "hermes config.yaml", ...z.toJSONSchema(buildConfigSchema(z), { target: "draft-7" }) };
}

function describe(issue: z.core.$ZodIssue, found: unknown): string {
  if (found === undefined) return "required, but missing";
  const shown = shorten(JSON.stringify(found));
  if (issue.code === "invalid_type") return `expected ${article(issue.expected)}, found ${shown}`;
  if (issue.code === "invalid_value") return `expected one of ${issue.values.map(String).join(", ")}; found ${shown}`;
  if (issue.code === "invalid_union") return `${shown} has the wrong type`;
  if (issue.code === "too_small" && issue.origin !== "string")
    return `expected at least ${issue.minimum}, found ${shown}`;
  if (issue.code === "too_big" && issue.origin !== "string") return `expected at most ${issue.maximum}, found ${shown}`;
  return `${issue.message.replace(/^Invalid input: /, "")}; found ${shown}`;
}

function article(type: string): string {
  const name = { record: "mapping", object: "mapping", int: "whole number", array: "list" }[type] ?? type;
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key], value);
}

/** The keys that the schema knows at a path, for the did-you-mean. */
function keysAt(schema: z.ZodType, path: readonly (string | number)[]): readonly string[] {
  let inner: z.ZodType = unwrap(schema);
  for (const key of path) {
    if (inner instanceof z.ZodObject) inner = unwrap((inner.shape[key] ?? z.unknown()) as z.ZodType);
    else if (inner instanceof z.ZodRecord) inner = unwrap(inner.valueType as z.ZodType);
    else return [];
  }
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function unwrap(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional ? unwrap(schema.unwrap() as z.ZodType) : schema;
}
