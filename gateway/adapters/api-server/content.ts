/** Reads the content of a message: text, or a list of parts. */
import { isMapping } from "#core/mapping";
import type { ChatImage } from "#core/messages";
import { badRequest } from "./problem.ts";

export interface Content {
  readonly text: string;
  readonly images: readonly ChatImage[];
}

/** Part types with text, and where it is: those of chat completions, and those of the Responses API. */
const TEXT_PARTS: ReadonlyMap<unknown, "text" | "refusal"> = new Map([
  ["text", "text"],
  ["input_text", "text"],
  ["output_text", "text"],
  ["refusal", "refusal"],
]);

/** A string, or a list of parts whose texts are joined. Throws a RequestProblem; `where` is the content's path. */
export function readContent(content: unknown, where: string): Content {
  if (typeof content === "string") return { text: content, images: [] };
  if (!Array.isArray(content)) throw badRequest(`${where} must be a string or a list of parts.`);
  const parts = content.map((part: unknown, at) => readPart(part, `${where}[${at}]`));
  return { text: parts.map(({ text }) => text).join(""), images: parts.flatMap(({ images }) => images) };
}

/** The text of a message that cannot have images. */
export function readText(content: unknown, where: string): string {
  const { text, images } = readContent(content, where);
  if (images.length > 0) throw badRequest(`${where}: only user messages can have images.`);
  return text;
}

function readPart(part: unknown, where: string): Content {
  const fields = isMapping(part) ? part : {};
  const { type } = fields;
  const text = fields[TEXT_PARTS.get(type) ?? ""];
  if (typeof text === "string") return { text, images: [] };
  if (type === "image_url" || type === "input_image") return { text: "", images: [readImage(fields, where)] };
  const kind = typeof type === "string" ? ` of type "${type.slice(0, 50)}"` : "";
  throw badRequest(`${where}: parts${kind} are not supported; use text or an image.`);
}

/** `{"image_url": {"url": …}}` in chat completions, `{"image_url": …}` in the Responses API. */
function readImage({ image_url: given }: Readonly<Record<string, unknown>>, where: string): ChatImage {
  const url = isMapping(given) ? given["url"] : given;
  if (typeof url !== "string") throw badRequest(`${where}: image_url must have the image as a data URL.`);
  if (!/^data:/i.test(url)) {
    throw badRequest(`${where}: hermes does not fetch images. Send it as a data URL: data:image/png;base64,…`);
  }
  const comma = url.indexOf(",");
  const [, type] = /^data:(image\/[\w.+-]+)(?:;[\w=.+-]+)*;base64$/i.exec(url.slice(0, Math.max(comma, 0))) ?? [];
  const data = url.slice(comma + 1);
  if (type === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) {
    throw badRequest(`${where}: this is not a data URL of an image: data:image/png;base64,…`);
  }
  return { media_type: type.toLowerCase(), data };
}
