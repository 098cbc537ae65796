/** Checks a tool's arguments against its JSON Schema: the part of the language that tool parameters use. */

type Schema = Readonly<Record<string, unknown>>;

const DEEPEST = 100;

/**
 * What is wrong with `value`, as a sentence that names the place, or undefined when it fits. Keywords that are not
 * known are passed over, as the specification asks; a schema that refers to itself is followed 100 levels deep.
 */
export function findSchemaProblem(schema: unknown, value: unknown, root: unknown = schema): string | undefined {
  return check(schema, value, { root, path: "", depth: 0 });
}

interface Place {
  readonly root: unknown;
  readonly path: string;
  readonly depth: number;
}

function check(schema: unknown, value: unknown, place: Place): string | undefined {
  if (schema === false) return `${label(place)} is not allowed`;
  if (!isObject(schema) || place.depth > DEEPEST) return undefined;
  if (typeof schema["$ref"] === "string") {
    return check(resolveReference(schema["$ref"], place.root), value, { ...place, depth: place.depth + 1 });
  }
  return (
    checkType(schema, value, place) ??
    checkValue(schema, value, place) ??
    checkAlternatives(schema, value, place) ??
    (isObject(value) ? checkObject(schema, value, place) : undefined) ??
    (Array.isArray(value) ? checkArray(schema, value, place) : undefined)
  );
}

function checkType(schema: Schema, value: unknown, place: Place): string | undefined {
  const types = [schema["type"] ?? []].flat().filter((type) => typeof type === "string");
  if (types.length === 0 || types.some((type) => isOfType(value, type))) return undefined;
  return `${label(place)} must be ${types.map(article).join(" or ")}, not ${article(typeOf(value))}`;
}

function checkValue(schema: Schema, value: unknown, place: Place): string | undefined {
  const allowed = "const" in schema ? [schema["const"]] : schema["enum"];
  if (Array.isArray(allowed) && !allowed.some((one) => JSON.stringify(one) === JSON.stringify(value))) {
    return `${label(place)} must be one of ${allowed.map((one) => JSON.stringify(one)).join(", ")}`;
  }
  if (typeof value === "number") {
    return bound(schema, value, place, ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"], "");
  }
  if (typeof value !== "string") return undefined;
  const { pattern } = schema as { pattern?: unknown };
  if (typeof pattern === "string" && !matchesPattern(pattern, value)) return `${label(place)} must match ${pattern}`;
  return bound(schema, value.length, place, ["minLength", "maxLength"], " characters");
}

function checkAlternatives(schema: Schema, value: unknown, place: Place): string | undefined {
  for (const part of listOf(schema["allOf"])) {
    const problem = check(part, value, place);
    if (problem !== undefined) return problem;
  }
  const alternatives = [...listOf(schema["anyOf"]), ...listOf(schema["oneOf"])];
  const problems = alternatives.map((alternative) => check(alternative, value, place));
  if (alternatives.length === 0 || problems.includes(undefined)) return undefined;
  return [...new Set(problems)].join(", or ");
}

function checkObject(schema: Schema, value: Schema, place: Place): string | undefined {
  for (const name of listOf(schema["required"])) {
    if (typeof name === "string" && !Object.hasOwn(value, name)) return `${label(at(place, name))} is missing`;
  }
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  for (const [name, item] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name);
    const problem = known
      ? check(properties[name], item, at(place, name))
      : checkAdditional(schema, name, item, at(place, name), Object.keys(properties));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkAdditional(
  schema: Schema,
  name: string,
  item: unknown,
  place: Place,
  known: string[],
): string | undefined {
  const patterns = isObject(schema["patternProperties"]) ? Object.entries(schema["patternProperties"]) : [];
  const matching = patterns.filter(([pattern]) => matchesPattern(pattern, name));
  if (matching.length > 0) return matching.map(([, part]) => check(part, item, place)).find((one) => one !== undefined);
  if (schema["additionalProperties"] !== false) return check(schema["additionalProperties"], item, place);
  return `${label(place)} is not known; known are ${known.join(", ") || "none"}`;
}

function checkArray(schema: Schema, value: readonly unknown[], place: Place): string | undefined {
  const tooMany = bound(schema, value.length, place, ["minItems", "maxItems"], " items");
  if (tooMany !== undefined || !("items" in schema)) return tooMany;
  for (const [index, item] of value.entries()) {
    const problem = check(schema["items"], item, at(place, String(index)));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const BOUNDS: Readonly<Record<string, readonly [string, (value: number, limit: number) => boolean]>> = {
  minimum: ["at least", (value, limit) => value >= limit],
  maximum: ["at most", (value, limit) => value <= limit],
  exclusiveMinimum: ["more than", (value, limit) => value > limit],
  exclusiveMaximum: ["less than", (value, limit) => value < limit],
  minLength: ["at least", (value, limit) => value >= limit],
  maxLength: ["at most", (value, limit) => value <= limit],
  minItems: ["at least", (value, limit) => value >= limit],
  maxItems: ["at most", (value, limit) => value <= limit],
};

function bound(schema: Schema, value: number, place: Place, keywords: string[], unit: string): string | undefined {
  for (const keyword of keywords) {
    const [limit, rule] = [schema[keyword], BOUNDS[keyword]];
    if (typeof limit !== "number" || rule === undefined || rule[1](value, limit)) continue;
    return `${label(place)} must be ${rule[0]} ${limit}${unit}`;
  }
  return undefined;
}

function matchesPattern(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    // Not a pattern of this engine: its author meant something that cannot be checked here.
    return true;
  }
}

/** `#/a/b` inside the schema; anything else is not followed. */
function resolveReference(reference: string, root: unknown): unknown {
  if (!reference.startsWith("#")) return undefined;
  const names = reference.split("/").slice(1);
  return names.reduce<unknown>((found, name) => {
    const key = decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~");
    return isObject(found) || Array.isArray(found) ? (found as Schema)[key] : undefined;
  }, root);
}

function isOfType(value: unknown, type: string): boolean {
  return type === "number" ? typeof value === "number" : type === typeOf(value);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

function article(type: string): string {
  if (type === "null") return "null";
  return `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`;
}

function at(place: Place, name: string): Place {
  return { ...place, path: place.path === "" ? name : `${place.path}.${name}`, depth: place.depth + 1 };
}

function label({ path }: Place): string {
  return path === "" ? "the arguments" : `"${path}"`;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
