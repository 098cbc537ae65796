/** What `hermes gateway setup whatsapp` asks for. */
import { newSecret } from "#core/bearer";
import type { PlatformSetup, SetupCheck, SetupField } from "#gateway/adapters/setup";
import { connect } from "./connection.ts";
import { DEFAULT_BIND, DEFAULT_PATH, DEFAULT_ROOT, fieldProblem } from "./settings.ts";

const STEPS = [
  "Create an app of the type Business at https://developers.facebook.com/apps and add the product WhatsApp to it.",
  "Add a phone number under WhatsApp > API Setup, or use the test number that Meta gives you there.",
  "At https://business.facebook.com, under Settings > Users > System users, add a system user, assign the app and the " +
    "WhatsApp account to it with full control, and generate a token that never expires, with the permissions " +
    "whatsapp_business_messaging and whatsapp_business_management.",
  "Have an https address ready that a server with TLS passes on to this machine: Meta sends messages there.",
];

const fields = (): readonly SetupField[] => [
  { key: "token", label: "Access token", hint: "The permanent token of the system user.", secret: true },
  {
    key: "phone_number_id",
    label: "Phone number ID",
    hint: "From WhatsApp > API Setup; it is not the phone number itself.",
    problem: (value) => fieldProblem("phone_number_id", value),
  },
  {
    key: "app_secret",
    label: "App secret",
    hint: "From App settings > Basic; it proves that messages come from Meta.",
    secret: true,
  },
  {
    key: "verify_token",
    label: "Verify token",
    hint: "A secret that you enter at Meta, too.",
    secret: true,
    fallback: newSecret(),
  },
  {
    key: "bind",
    label: "Listen on",
    hint: "Where the server with TLS reaches the webhook, as host:port.",
    fallback: DEFAULT_BIND,
    problem: (value) => fieldProblem("bind", value),
  },
  {
    key: "allowed_users",
    label: "Allowed users",
    hint: "Phone numbers as digits with the country code; others can pair.",
    list: true,
    optional: true,
    problem: (value) => fieldProblem("allowed_users", value),
  },
];

export function whatsAppSetup(): PlatformSetup {
  return { steps: STEPS, fields: fields(), check };
}

async function check(values: Readonly<Record<string, string>>, apiRoot = DEFAULT_ROOT): Promise<SetupCheck> {
  const { token = "", phone_number_id: phoneNumberId = "", bind = DEFAULT_BIND } = values;
  const { graph, number } = await connect({ token, phoneNumberId, root: apiRoot });
  await graph.close();
  const { shown, name } = number;
  return {
    account: name === "" ? shown : `${shown} (${name})`,
    notes: [
      `Put a server with TLS in front of http://${bind}${DEFAULT_PATH}.`,
      "Under WhatsApp > Configuration of the app, enter its https address and the verify token, then subscribe to the field messages.",
    ],
  };
}
