/** Who asks: the function has no rights of its own, each call is made with the caller's. */

import { Refusal } from "../_shared/answers.ts";
import { isObject } from "../_shared/calls.ts";
import { setting } from "../_shared/settings.ts";

/** Return the headers by which PostgREST knows the caller. */
export function credentialsOf(request: Request): Record<string, string> {
  const authorization = request.headers.get("Authorization");
  const apikey = request.headers.get("apikey");
  if (!authorization && !apikey) {
    throw new Refusal(
      401,
      "unauthorized",
      'Say who you are: send the header "apikey" with the publishable key, and "Authorization" with the token of the user.',
    );
  }
  const headers: Record<string, string> = {};
  // The gateway wants a key even beside a token; this one is public, and gives no rights.
  const key = apikey ?? publishableKey();
  if (key) headers.apikey = key;
  if (authorization) headers.Authorization = authorization;
  return headers;
}

function publishableKey(): string | undefined {
  try {
    const named: unknown = JSON.parse(
      setting("SUPABASE_PUBLISHABLE_KEYS") ?? "{}",
    );
    if (isObject(named)) {
      const key = named.default ?? Object.values(named)[0];
      if (typeof key === "string") return key;
    }
  } catch {
    // the legacy key serves
  }
  return setting("SUPABASE_ANON_KEY");
}
