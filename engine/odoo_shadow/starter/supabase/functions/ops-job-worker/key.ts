/** Who may start jobs: whoever knows the project's service role key or a secret key. */

import { misconfigured, setting } from "../_shared/settings.ts";
import { isObject } from "../_shared/calls.ts";

/** Whether a request carries one of the project's keys. Compares in constant time. */
export async function isAllowed(request: Request): Promise<boolean> {
  const given = await Promise.all(presented(request).map(digest));
  const known = await Promise.all(keys().map(digest));
  let allowed = false;
  for (const one of given) {
    for (const other of known) {
      // No early end: how long it takes must not tell which of the keys is near.
      allowed = areEqual(one, other) || allowed;
    }
  }
  return allowed;
}

function presented(request: Request): string[] {
  const bearer = /^Bearer +(\S+) *$/i.exec(
    request.headers.get("Authorization") ?? "",
  );
  const apikey = request.headers.get("apikey");
  return [bearer?.[1], apikey?.trim()].filter((key): key is string => !!key);
}

/** Supabase sets both variables; a project without legacy keys lacks the first. */
function keys(): string[] {
  const found = [
    setting("SUPABASE_SERVICE_ROLE_KEY"),
    ...secretKeys(setting("SUPABASE_SECRET_KEYS")),
  ].filter((key): key is string => !!key);
  if (found.length > 0) return found;
  throw misconfigured(
    "The function knows no key of the project, so nobody may start jobs: Supabase sets SUPABASE_SECRET_KEYS and SUPABASE_SERVICE_ROLE_KEY, other servers have to.",
  );
}

/** The variable is a JSON object, from the names of keys to the keys. */
function secretKeys(text: string | undefined): string[] {
  if (text === undefined) return [];
  try {
    const named: unknown = JSON.parse(text);
    if (isObject(named)) {
      return Object.values(named).filter((key) => typeof key === "string");
    }
  } catch {
    // whoever has none of the other keys is refused
  }
  return [];
}

/** Digests have one length, so that comparing them tells nothing of the key's. */
async function digest(text: string): Promise<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  one.forEach((byte, at) => difference |= byte ^ (other[at] ?? 0));
  return difference === 0;
}
