/** The functions' settings: variables, which Supabase calls a function's secrets. */

import { Refusal } from "./answers.ts";

/** Return a variable without the space around it; undefined when it is empty. */
export function setting(name: string): string | undefined {
  return Deno.env.get(name)?.trim() || undefined;
}

/** A setting that cannot be used. */
export function misconfigured(sentence: string): Refusal {
  return new Refusal(503, "misconfigured", sentence);
}

/**
 * Return the address in a variable, without a slash at its end.
 *
 * @param allowHttp whether credentials may travel unencrypted to other machines.
 * @param allowing the variable that allows it, if there is one.
 */
export function address(
  name: string,
  text: string,
  allowHttp: boolean,
  allowing?: string,
): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw misconfigured(
      `${name} is not an address: it should look like https://host.example.com.`,
    );
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw misconfigured(`${name} has to begin with https://.`);
  }
  if (url.username || url.password || url.search || url.hash) {
    throw misconfigured(
      `${name} must be an address alone, without login, "?" or "#".`,
    );
  }
  if (url.protocol === "http:" && !allowHttp && !isLoopback(url.hostname)) {
    const unless = allowing ? `, or set ${allowing}=true in a closed net` : "";
    throw misconfigured(
      `${name} begins with http://, over which the credentials would travel unencrypted: use https://${unless}.`,
    );
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** Return a secret that can stand in a header. */
export function headerSafe(name: string, text: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw misconfigured(
    `${name} has characters that no token has: store it anew, without line breaks or spaces.`,
  );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(host);
}
