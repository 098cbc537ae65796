/** Describes what is wrong with a configuration. Loaded only when there is something to validate, as it loads zod. */
import { z } from "zod";
import { isSecretName } from "#core/secret-names";
import { truncate } from "#core/truncate";
import { buildConfigSchema } from "./config-schema.ts";

export type ConfigIssue =
  | { readonly kind: "type"; readonly path: (string | number)[]; readonly problem: string }
  | { readonly kind: "unknown"; readonly path: (string | number)[]; readonly candidates: readonly string[] };

/** Every issue of the given sections: unknown keys, and values of a wrong type. */
export function findConfigIssues(value: Record<string, unknown>): ConfigIssue[] {
  const schema = buildConfigSchema(z);
  const result = schema.safeParse(value);
  if (result.success) return [];
  return result.error.issues.flatMap(insideUnion).flatMap((issue): ConfigIssue[] => {
    const path = issue.path.map((key) => (typeof key === "number" ? key : String(key)));
    if (issue.code === "unrecognized_keys") {
      const candidates = (issue as { readonly candidates?: readonly string[] }).candidates ?? keysAt(schema, path);
      return issue.keys.map((key) => ({ kind: "unknown", path: [...path, key], candidates }));
    }
    return [{ kind: "type", path, problem: describe(issue, shownValue(value, path)) }];
  });
}

/** Of a value that may have several forms: the issues of the form that it nearly has. */
function insideUnion(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  // A form without a message of its own.
  if (issue.code !== "invalid_union" || issue.message !== "Invalid input") return [issue];
  const forms = issue.errors.filter(([first]) => first !== undefined && !isOtherForm(first));
  const [nearest] = forms.toSorted((left, right) => depthOf(right) - depthOf(left));
  if (nearest === undefined) return [issue];
  return nearest.flatMap((inner) => insideUnion({ ...inner, path: [...issue.path, ...inner.path] }));
}

function isOtherForm({ code, path }: z.core.$ZodIssue): boolean {
  return path.length === 0 && (code === "invalid_type" || code === "invalid_value");
}

function depthOf(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(...issues.map(({ path }) => path.length));
}

/** The JSON Schema of `config.yaml`, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return { title: "hermes config.yaml", ...z.toJSONSchema(buildConfigSchema(z), { target: "draft-7" }) };
}

/** The value as an error may show it, on one line; undefined for one that is missing. A value that may be a secret is described. */
function shownValue(value: unknown, path: readonly (string | number)[]): string | undefined {
  const found = valueAt(value, path);
  if (found === undefined) return undefined;
  if (path.some((key) => typeof key === "string" && mayHoldSecrets(key)) || holdsSecrets(found)) return kindOf(found);
  return truncate(JSON.stringify(found), 60);
}

/** Sections whose keys a user chooses may hold a secret under any name. */
function mayHoldSecrets(key: string): boolean {
  return isSecretName(key) || key === "settings" || key === "headers" || key === "env" || key === "auth";
}

function holdsSecrets(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, inner]) => mayHoldSecrets(key) || holdsSecrets(inner));
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a mapping" : article(value === null ? "null" : typeof value);
}

function describe(issue: z.core.$ZodIssue, shown: string | undefined): string {
  if (issue.code === "custom") return issue.message;
  if (shown === undefined) return "required, but missing";
  if (issue.code === "invalid_type") return `expected ${article(issue.expected)}, found ${shown}`;
  if (issue.code === "invalid_value") return `expected one of ${issue.values.map(String).join(", ")}; found ${shown}`;
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? issue.message;
  if (issue.code === "invalid_union" && issue.message.startsWith("expected")) return `${issue.message}; found ${shown}`;
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
