import { parseAddress } from "#core/home/logging-settings";
import type { PlatformSettings } from "#core/home/platform-settings";

export type WhatsAppSettings = PlatformSettings<"whatsapp">;

export const DEFAULT_BIND = "127.0.0.1:8643";
export const DEFAULT_PATH = "/whatsapp";
export const DEFAULT_ROOT = "https://graph.facebook.com";

const AT = "gateway.platforms.whatsapp";
const DASHBOARD = "in the App Dashboard at developers.facebook.com";

/** Where each setting comes from that must be there. */
const NEEDED = {
  token: "Create a permanent token of a system user in the settings of your business at business.facebook.com.",
  phone_number_id: `It is shown ${DASHBOARD}, under WhatsApp > API Setup.`,
  app_secret: `It is shown ${DASHBOARD}, under App settings > Basic. Without it, anybody could write in the name of your users.`,
  verify_token: `Choose a secret, and enter it ${DASHBOARD}, under WhatsApp > Configuration, too.`,
} as const;

/** What is wrong with the settings, as far as they tell without the server; undefined when nothing is. */
export function whatsAppProblem(settings: WhatsAppSettings): string | undefined {
  for (const [key, source] of Object.entries(NEEDED)) {
    const value = String(settings[key as keyof typeof NEEDED] ?? "").trim();
    if (value === "") return `${AT}.${key} is missing. ${source}`;
  }
  const { phone_number_id: id, bind = DEFAULT_BIND, path = DEFAULT_PATH, allowed_users: users = [] } = settings;
  const checked = [
    ["phone_number_id", id],
    ["bind", bind],
    ["path", path],
    ...users.map((user) => ["allowed_users", user]),
  ];
  for (const [key, value] of checked) {
    const problem = fieldProblem(String(key), String(value));
    if (problem !== undefined) return `${AT}.${key}: ${problem}`;
  }
  return undefined;
}

/** What is wrong with one value of a setting, in one sentence; undefined when nothing is. */
export function fieldProblem(key: string, value: string): string | undefined {
  switch (key) {
    case "phone_number_id":
      return /^\d+$/.test(value) ? undefined : "Expected digits: the ID of the phone number, not the number itself.";
    case "bind":
      return parseAddress(value) === null ? `Expected host:port, such as ${DEFAULT_BIND}.` : undefined;
    case "path":
      return /^\/[\w./~-]*$/.test(value)
        ? undefined
        : `Expected a path without special characters, such as ${DEFAULT_PATH}.`;
    case "allowed_users": {
      const isWritten = /^\+?[\d\s().-]+$/.test(value) && !/^\d+$/.test(value);
      return isWritten
        ? `Write "${value}" as digits with the country code: ${value.replaceAll(/\D/g, "")}.`
        : undefined;
    }
    default:
      return undefined;
  }
}
