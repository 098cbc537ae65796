/** The settings of log streaming, below `logging` (CONTRACT §12, seed 000 "Log Streaming"). */
import type { z } from "zod";
import type { Zod } from "#core/zod";

/** By their numbers in RFC 5424, 6.2.1. */
export const SYSLOG_FACILITIES = [
  "kern",
  "user",
  "mail",
  "daemon",
  "auth",
  "syslog",
  "lpr",
  "news",
  "uucp",
  "cron",
  "authpriv",
  "ftp",
  "ntp",
  "security",
  "console",
  "clock",
  "local0",
  "local1",
  "local2",
  "local3",
  "local4",
  "local5",
  "local6",
  "local7",
] as const;

const ADDRESS = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export type LoggingSettings = z.infer<ReturnType<typeof loggingSchema>>;
export type StreamSettings = NonNullable<LoggingSettings["stream"]>;
export type DestinationSettings = z.infer<ReturnType<typeof destinationSchema>>;
export type FileSettings = Extract<DestinationSettings, { type: "file" }>;
export type SyslogSettings = Extract<DestinationSettings, { type: "syslog" }>;
export type HttpSettings = Extract<DestinationSettings, { type: "http" }>;

/** The host and port of `host:port` or `[IPv6 address]:port`; null when it is neither. */
export function parseAddress(address: string): { readonly host: string; readonly port: number } | null {
  const found = ADDRESS.exec(address);
  const host = found?.[1] ?? found?.[2];
  const port = Number(found?.[3]);
  return host !== undefined && port >= 1 && port <= 65_535 ? { host, port } : null;
}

export function loggingSchema(zod: Zod) {
  return zod.strictObject({ stream: streamSchema(zod) }).partial();
}

function streamSchema(zod: Zod) {
  return zod
    .strictObject({
      enabled: zod.boolean().describe("Whether lines are streamed; true by default"),
      format: zod.literal("json"),
      destinations: zod
        .array(destinationSchema(zod))
        .check((context) => {
          const { value: input } = context;
          const paths = input.map((one) => (one.type === "file" ? one.path : undefined));
          const twice = paths.findIndex((path, index) => path !== undefined && paths.indexOf(path) < index);
          if (twice === -1) return;
          const message = "another destination writes the same file";
          context.issues.push({ code: "custom", message, input, path: [twice, "path"] });
        })
        .describe("Where each line of the log is sent, too"),
    })
    .partial();
}

function destinationSchema(zod: Zod) {
  return zod.discriminatedUnion("type", [fileSchema(zod), syslogSchema(zod), httpSchema(zod)], {
    error: "expected the type file, syslog or http",
  });
}

function fileSchema(zod: Zod) {
  return zod.strictObject({
    type: zod.literal("file"),
    path: zod.string().min(1),
    max_size_mb: zod.number().positive().max(1_000_000).optional().describe("When the file is rotated; 50 by default"),
    keep: zod.int().min(0).max(1000).optional().describe("How many older files are kept; 5 by default"),
  });
}

function syslogSchema(zod: Zod) {
  return zod
    .strictObject({
      type: zod.literal("syslog"),
      address: zod.string().refine((address) => parseAddress(address) !== null, "expected host:port"),
      protocol: zod.enum(["udp", "tcp", "tls"]).optional().describe("udp by default"),
      ca: zod.string().min(1).optional().describe("For tls: a PEM file with the certificates to trust"),
      facility: zod.enum(SYSLOG_FACILITIES).optional().describe("user by default"),
    })
    .check((context) => {
      const { ca, protocol } = context.value;
      if (ca === undefined || protocol === "tls") return;
      context.issues.push({ code: "custom", message: "ca needs protocol: tls", input: ca, path: ["ca"] });
    });
}

function httpSchema(zod: Zod) {
  return zod.strictObject({
    type: zod.literal("http"),
    url: zod
      .url({ protocol: /^https?$/, error: "expected an http or https URL" })
      .refine((url) => !URL.parse(url)?.username, "put credentials into headers, not into the URL"),
    headers: zod.record(zod.string().regex(HEADER_NAME, "expected the name of a header"), zod.string()).optional(),
    batch: zod.int().min(1).max(10_000).optional().describe("Most lines of a request; 500 by default"),
    interval_ms: zod.int().min(0).max(3_600_000).optional().describe("How long lines wait for others; 2000 by default"),
  });
}
