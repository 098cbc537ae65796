/** The settings of each built-in messaging platform, below `gateway.platforms`: a row of the schema for each. */
import type { z } from "zod";
import type { Zod } from "#core/zod";
import { parseAddress } from "./logging-settings.ts";

export const PLATFORM_SETTINGS = {
  api_server: (zod: Zod) =>
    zod
      .strictObject({
        enabled: zod.boolean(),
        host: zod.string(),
        port: portNumber(zod),
        key: zod.string(),
        cors_origins: zod.array(zod.string()),
      })
      .partial(),
  discord: (zod: Zod) =>
    zod
      .strictObject({
        enabled: zod.boolean(),
        token: zod.string(),
        allowed_users: userList(zod),
        allowed_channels: userList(zod),
        api_root: zod.url(),
      })
      .partial(),
  slack: (zod: Zod) =>
    zod
      .strictObject({
        enabled: zod.boolean(),
        bot_token: zod.string(),
        app_token: zod.string(),
        api_root: zod.url(),
        allowed_users: userList(zod),
      })
      .partial(),
  telegram: (zod: Zod) =>
    zod
      .strictObject({ enabled: zod.boolean(), token: zod.string(), api_root: zod.url(), allowed_users: userList(zod) })
      .partial(),
  whatsapp: (zod: Zod) =>
    zod
      .strictObject({
        enabled: zod.boolean(),
        token: zod.string(),
        phone_number_id: zod.union([zod.string(), zod.int()]),
        verify_token: zod.string(),
        app_secret: zod.string(),
        bind: zod.string().refine((address) => parseAddress(address) !== null, "expected host:port"),
        path: zod.string().startsWith("/"),
        allowed_users: userList(zod),
        api_root: zod.url(),
      })
      .partial(),
} as const;

export type PlatformName = keyof typeof PLATFORM_SETTINGS;
export type PlatformSettings<Name extends PlatformName> = z.infer<ReturnType<(typeof PLATFORM_SETTINGS)[Name]>>;

/** A TCP port; 0 lets the system choose. */
export function portNumber(zod: Zod) {
  return zod.int().min(0).max(65_535);
}

/** Users or channels of a platform by id. */
export function userList(zod: Zod) {
  const id = zod.union([zod.string(), zod.number()]);
  return zod.array(id.refine(isId, "expected a text or a whole number (one of more than 15 digits needs quotes)"));
}

/** YAML rounds larger numbers. */
function isId(id: string | number): boolean {
  return typeof id === "string" || Number.isSafeInteger(id);
}

/** The schema of `gateway.platforms`: built-in platforms, and those of plugins with any settings. */
export function platformsSchema(zod: Zod) {
  return zod
    .strictObject({
      api_server: PLATFORM_SETTINGS.api_server(zod).optional(),
      discord: PLATFORM_SETTINGS.discord(zod).optional(),
      slack: PLATFORM_SETTINGS.slack(zod).optional(),
      telegram: PLATFORM_SETTINGS.telegram(zod).optional(),
      whatsapp: PLATFORM_SETTINGS.whatsapp(zod).optional(),
    })
    .catchall(zod.record(zod.string(), zod.unknown()))
    .optional();
}
